"""A policy as a sentence, whose words a person chooses one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from string import Formatter
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, grant_scopes, visible
from tms.accounts.access.owner_form import owner_of
from tms.lib.calendar.durations import duration_text
from tms.lib.severity import Severity
from tms.notifications.models.policy import Policy, PolicyHours, RolloutNews
from tms.notifications.weekly_hours import HOURS_FIELDS

OPENING = _(
    "When an alert or incident of {severities} opens at {sites} of {owner}, in {groups} and by {rules}, {when}, wait"
    " {delay}, group for {group_wait} {grouping}, and then, until someone acknowledges:"
)
CLOSING = _(
    "When it is resolved, notify {resolved}. When someone acknowledges it, notify {acknowledged}. Write in {language}."
    " Notify the first step of {rollouts} in rollouts."
    " During maintenance notify nobody; anything still unresolved at the end is notified then."
)
FIELDS: Mapping[str, Sequence[str]] = {
    "severities": ("severities",),
    "sites": ("sites",),
    "owner": ("owner",),
    "groups": ("groups",),
    "rules": ("rules",),
    "when": ("when", *HOURS_FIELDS),
    "delay": ("delay_s",),
    "group_wait": ("group_wait_s",),
    "grouping": ("group_by_site",),
    "resolved": ("notify_resolved",),
    "acknowledged": ("notify_acknowledged",),
    "language": ("language",),
    "rollouts": ("rollouts",),
    "repeat": ("repeat_s",),
}
"""The fields of PolicyForm that each word stands for."""
MAX_NAMES = 3


@dataclass(frozen=True)
class Word:
    """A word, and the plain text before it."""

    before: str
    name: str = ""
    """The name of the word; empty at the end of a sentence, where there is only plain text."""
    text: str = ""
    fields: Sequence[forms.BoundField] = ()

    @property
    def is_wrong(self) -> bool:
        return any(field.errors for field in self.fields)


@dataclass(frozen=True)
class StepWords:
    """An escalation step."""

    after: str
    to: str
    """Whom the step notifies; empty if it notifies nobody."""
    form: forms.BaseForm | None = None


@dataclass(frozen=True)
class Sentence:
    opening: Sequence[Word]
    steps: Sequence[StepWords]
    repeat: Word
    closing: Sequence[Word]


def sentence_of(policy: Policy, *, to: Person) -> Sentence:
    """The sentence of a saved policy, with the names that the person sees."""
    values = {
        **{name: getattr(policy, name) for names in FIELDS.values() for name in names if name != "owner"},
        **{name: list(visible(getattr(policy, name).all(), to=to)) for name in ("sites", "groups", "rules")},
        "owner": owner_of(policy).label,
    }
    steps = [
        {
            "after_min": step.after_s // 60,
            "destinations": list(visible(step.destinations.all(), to=to)),
            "rotations": list(visible(step.rotations.all(), to=to)),
        }
        for step in policy.steps.all()
    ]
    return _sentence(values, steps, None)


def sentence_of_forms(form: Any, steps: Any) -> Sentence:
    """The sentence of a PolicyForm and its StepForms: what was entered, or else the initial values."""
    values = {name: _value(form, name) for names in FIELDS.values() for name in names}
    owner = grant_scopes.parse(str(values["owner"] or form.fields["owner"].default))
    names = ("after_min", "destinations", "rotations")
    of_steps = [{name: _value(one, name) for name in names} | {"form": one} for one in steps.forms]
    return _sentence(values | {"owner": owner.label if owner else "–"}, of_steps, form)


def _sentence(
    values: Mapping[str, object], steps: Iterable[Mapping[str, Any]], form: forms.BaseForm | None
) -> Sentence:
    words = _words(values)

    def pieces(text: str) -> Iterator[Word]:
        for before, name, _spec, _conversion in Formatter().parse(text):
            yield Word(before, name, words[name], _bound_fields(form, name)) if name else Word(before)

    of_steps = [_step_words(step, is_first=not number) for number, step in enumerate(steps)]
    repeat = Word("", "repeat", words["repeat"], _bound_fields(form, "repeat"))
    return Sentence(list(pieces(str(OPENING))), of_steps, repeat, list(pieces(str(CLOSING))))


def _bound_fields(form: forms.BaseForm | None, name: str) -> list[forms.BoundField]:
    return [form[field] for field in FIELDS[name]] if form is not None else []


def _words(values: Mapping[str, Any]) -> dict[str, str]:
    no_one, everybody = gettext("nobody"), gettext("everyone who was notified")
    severities = _names([str(Severity(one).label).lower() for one in values["severities"] or () if one in Severity])
    return {
        "severities": gettext("severity %s") % severities if severities else gettext("any severity"),
        "sites": _names([site.local_name for site in values["sites"] or ()]) or gettext("any site"),
        "owner": gettext("the whole fleet") if values["owner"] == gettext("everything") else values["owner"],
        "groups": _names([str(group) for group in values["groups"] or ()]) or gettext("any group"),
        "rules": _names([rule.local_name for rule in values["rules"] or ()]) or gettext("any rule"),
        "when": _when(values),
        "delay": _span(values["delay_s"]),
        "group_wait": _span(values["group_wait_s"]),
        "grouping": gettext("by site") if values["group_by_site"] else gettext("all together"),
        "resolved": everybody if values["notify_resolved"] else no_one,
        "acknowledged": everybody if values["notify_acknowledged"] else no_one,
        "language": _language(values["language"]),
        "rollouts": _names(_news(values["rollouts"] or ()), joined=gettext(" and ")) or pgettext("rollouts", "nothing"),
        "repeat": _repeat(values["repeat_s"]),
    }


def _when(values: Mapping[str, Any]) -> str:
    when = PolicyHours(values["when"]) if values["when"] in PolicyHours else PolicyHours.ALWAYS
    begins, ends = values["hours_from"], values["hours_until"]
    if when in (PolicyHours.WITHIN, PolicyHours.OUTSIDE) and isinstance(begins, time) and isinstance(ends, time):
        hours = f"{begins:%H:%M}–{ends:%H:%M}"
        if when == PolicyHours.WITHIN:
            return gettext("during %(hours)s") % {"hours": hours}
        return gettext("outside %(hours)s") % {"hours": hours}
    return str(when.label)


def _language(code: str) -> str:
    return str(dict(settings.LANGUAGES).get(code, gettext("the language of each destination")))


def _news(chosen: Sequence[str]) -> list[str]:
    return [str(news.label) for news in RolloutNews if news in chosen]


def _repeat(seconds: object) -> str:
    return gettext("every %(span)s") % {"span": _span(seconds)} if seconds else pgettext("repeat", "never")


def _span(seconds: object) -> str:
    return duration_text(int(seconds)) if isinstance(seconds, int | float) else "–"


def _step_words(step: Mapping[str, Any], *, is_first: bool) -> StepWords:
    minutes = step["after_min"] or 0
    after = gettext("At once") if is_first else gettext("After %(span)s") % {"span": _span(minutes * 60)}
    to = [*(str(one) for one in step["destinations"] or ()), *(_on_call(one) for one in step["rotations"] or ())]
    return StepWords(after, _names(to, joined=gettext(" and ")), step.get("form"))


def _on_call(rotation: object) -> str:
    return gettext("on call: %(rotation)s") % {"rotation": rotation}


def _names(names: Sequence[str], joined: str = "") -> str:
    """`A, B or C`, or the first of many and how many more; empty for none."""
    if (more := len(names) - MAX_NAMES) > 0:
        return gettext(", ").join(names[:MAX_NAMES]) + " " + ngettext("and %d more", "and %d more", more) % more
    *most, last = names or [""]
    return gettext(", ").join(most) + ((joined or gettext(" or ")) if most else "") + last


def _value(form: forms.BaseForm, name: str) -> Any:
    """What was entered, if it is valid; else the initial value, as the form would clean it."""
    if form.is_bound:
        return form.cleaned_data.get(name) if hasattr(form, "cleaned_data") else None
    initial = form.get_initial_for_field(form.fields[name], name)
    if name in ("sites", "groups", "rules", "destinations", "rotations"):
        return list(initial or ())
    return initial
