"""What a person can do from the search: actions on what was found, new rows, and preferences.

Each leads to the page or dialog that does it; the search itself changes nothing.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Model
from django.urls import reverse, reverse_lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import may
from tms.accounts.models import Theme, User
from tms.accounts.permissions import Permission
from tms.alerts.actions.registry import ACTIONS, actions_for
from tms.alerts.models import Alert, Incident
from tms.boards.list_filters.saved_views import filter_of
from tms.query.completion import quoted
from tms.search.hits import MAX_COUNTED_HITS, Fit, Hit, Text, fit_of, listing
from tms.search.lists import terminals_text

MAINTENANCE, COMMAND, TAG = "maintenance", "command", "tag"
SUBJECTS: dict[str, type[Model]] = {"alert": Alert, "incident": Incident}
"""Kinds of hits that operator actions apply to."""
_TITLES = {"alert": _("%(action)s: alert %(number)s"), "incident": _("%(action)s: incident %(number)s")}
SHORTEST_VERB, SHORTEST_JAPANESE_VERB = 3, 2


class ActionLink(NamedTuple):
    """An action that needs no subject: a link to its form."""

    url: str
    label: Text
    icon: str
    permission: Permission


class QueryLink(NamedTuple):
    """An action on all terminals that a query selects: a link to its form."""

    path: Text
    label: Text
    icon: str
    permission: Permission
    key: str


class PreferenceChoice(NamedTuple):
    """A preference: a button that posts `value` as `field` to the URL."""

    label: Text
    icon: str
    url: str
    field: str
    value: str


LINKS = (
    ActionLink("plan-maintenance", _("Plan maintenance…"), "maintenance", Permission.PLAN_MAINTENANCE),
    ActionLink("new-rule", _("New rule…"), "rules", Permission.EDIT_RULES),
    ActionLink("new-policy", _("New notification policy…"), "escalate", Permission.EDIT_POLICIES),
    ActionLink("new-rotation", _("New rotation…"), "clock", Permission.EDIT_ROTATIONS),
    ActionLink("send-digest", _("Send shift digest…"), "letter", Permission.SEND_DIGESTS),
    ActionLink("send-report", _("Send availability report…"), "letter", Permission.SEND_DIGESTS),
    ActionLink("new-team", _("New team…"), "people", Permission.MANAGE_PEOPLE),
    ActionLink("pair-screen", _("Pair a wall screen…"), "wall", Permission.MANAGE_SCREENS),
)
QUERY_LINKS = {
    COMMAND: QueryLink(reverse_lazy("new-job"), _("Send a command…"), "command", Permission.RUN_JOBS, "c"),
    MAINTENANCE: QueryLink(
        reverse_lazy("plan-maintenance"), _("Plan maintenance…"), "maintenance", Permission.PLAN_MAINTENANCE, "m"
    ),
    TAG: QueryLink(reverse_lazy("edit-terminals", args=("tag",)), _("Tag…"), "note", Permission.MANAGE_GROUPS, "t"),
}
THEMES = (
    PreferenceChoice(_("Theme: dark"), "theme", "choose-theme", "theme", Theme.DARK),
    PreferenceChoice(_("Theme: light"), "theme", "choose-theme", "theme", Theme.LIGHT),
    PreferenceChoice(_("Theme: as the system"), "theme", "choose-theme", "theme", Theme.SYSTEM),
)
LANGUAGES = {"en": "Language: English", "ja": "言語: 日本語"}
"""The action in each language itself, for people who read no other."""


def general(terms: Collection[str], person: User) -> Iterator[Hit]:
    """Actions that need no subject, if their name fits; without terms, all of them."""
    for link in LINKS:
        if may(person, link.permission):
            hit = Hit(kind="action", name=link.url, title=str(link.label), href=reverse(link.url), icon=link.icon)
            yield from _fitting(hit, terms, link.url.replace("-", " "))
    for choice in (*THEMES, *_languages()):
        hit = Hit(
            kind="action",
            name=f"{choice.url}-{choice.value}",
            title=str(choice.label),
            icon=choice.icon,
            form=choice.url,
            field=choice.field,
            value=choice.value,
        )
        yield from _fitting(hit, terms, f"{choice.field} {choice.value}")


def actions_on(hit: Hit, person: User, verbs: Collection[str] = ()) -> Iterator[Hit]:
    """The actions that apply to a hit and that the person may do; with `verbs`, only these."""
    found = _operator_actions(hit, person) if hit.kind in SUBJECTS else _fleet_actions(hit, person)
    return (action for action in found if not verbs or action.name.partition(":")[0] in verbs)


def verbs_in(terms: Collection[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The actions that a term names, and the other terms: `ack umeda` is *acknowledge*, and `umeda`."""
    for term in terms:
        if verbs := frozenset(name for name, words in _verbs() if _names(term, words)):
            return verbs, tuple(other for other in terms if other != term)
    return frozenset(), tuple(terms)


def _languages() -> Iterator[PreferenceChoice]:
    for code, _name in settings.LANGUAGES:
        if code != get_language() and code in LANGUAGES:
            yield PreferenceChoice(LANGUAGES[code], "comment", "choose-language", "language", code)


def _fitting(hit: Hit, terms: Collection[str], *names: str) -> Iterator[Hit]:
    fit = fit_of(tuple(terms), hit.title, *names) if terms else Fit.EQUAL
    if fit < Fit.ELSEWHERE:
        yield replace(hit, fit=fit)


def _verbs() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each with the words that name it, in English and in the person's language."""
    yield MAINTENANCE, (MAINTENANCE, gettext("Plan maintenance"))
    yield COMMAND, (COMMAND, gettext("Send a command"))
    yield TAG, (TAG, gettext("Tag…"))
    for action in ACTIONS.values():
        yield action.name, (action.name, str(action.label))


def _names(term: str, words: Collection[str]) -> bool:
    least = SHORTEST_VERB if term.isascii() else SHORTEST_JAPANESE_VERB
    return len(term) >= least and any(word.casefold().startswith(term.casefold()) for word in words)


def _operator_actions(hit: Hit, person: User) -> Iterator[Hit]:
    row = SUBJECTS[hit.kind](pk=int(hit.name))
    for action in actions_for(hit.kind, hit.row):
        if not may(person, action.permission, row):
            continue
        title = _TITLES[hit.kind]
        yield Hit(
            kind="action",
            name=f"{action.name}:{hit.about}",
            title=str(title) % {"action": action.label, "number": hit.name},
            href=reverse(f"{hit.kind}-action", args=(hit.name, action.name)),
            icon=action.icon,
            detail=hit.title,
            keys=(action.key,) if action.key else (),
            method="post" if action.is_immediate else "get",
        )


def _fleet_actions(hit: Hit, person: User) -> Iterator[Hit]:
    """Actions on a site, on a terminal, or on all terminals that a query selects."""
    if hit.kind == "query":
        yield from _query_actions(hit, person)
        return
    if may(person, Permission.PLAN_MAINTENANCE, hit.row):
        yield Hit(
            kind="action",
            name=f"{MAINTENANCE}:{hit.about}",
            title=gettext("Plan maintenance for %(name)s…") % {"name": hit.title},
            href=listing("plan-maintenance", **{hit.kind: hit.name}),
            icon="maintenance",
            detail=hit.detail,
            keys=("m",),
        )
    if hit.kind == "terminal" and may(person, Permission.SEND_COMMANDS, hit.row):
        yield Hit(
            kind="action",
            name=f"{COMMAND}:{hit.about}",
            title=gettext("Send a command to %(name)s…") % {"name": hit.title},
            href=f"{hit.href}#ask",
            icon="command",
            detail=hit.detail,
            keys=("c",),
        )
    if hit.kind == "site" and may(person, Permission.RUN_JOBS, hit.row):
        yield Hit(
            kind="action",
            name=f"{COMMAND}:{hit.about}",
            title=gettext("Send a command to %(name)s…") % {"name": hit.title},
            href=listing("new-job", all="1", q=filter_of(q=f"site:{quoted(hit.name)}").explicit.q),
            icon="command",
            detail=hit.detail,
            keys=("c",),
        )


def _query_actions(hit: Hit, person: User) -> Iterator[Hit]:
    """The actions on many terminals. Each page evaluates the query again, with its number, before it does anything."""
    number: int = hit.row
    given = {"all": 1, "q": filter_of(q=hit.name).explicit.q} | ({} if number > MAX_COUNTED_HITS else {"count": number})
    for verb, link in QUERY_LINKS.items():
        if number and may(person, link.permission):
            yield Hit(
                kind="action",
                name=f"{verb}:{hit.about}",
                title=str(link.label),
                href=f"{link.path}?{urlencode(given)}",
                icon=link.icon,
                detail=terminals_text(number),
                keys=(link.key,),
            )
    yield Hit(
        kind="action",
        name=f"view:{hit.about}",
        title=gettext("Save as a view…"),
        href=listing("new-view", q=hit.name),
        icon="plus",
        detail=hit.name,
        method="get",
    )
