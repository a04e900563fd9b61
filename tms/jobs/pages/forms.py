"""The form of a new job. It makes the body of the REST operation, so that the same code checks both."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import may, permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.commands import catalogue
from tms.commands.argument_form import argument_form
from tms.commands.kinds import CommandSpec
from tms.commands.models import Danger
from tms.fleet.models import Terminal
from tms.jobs.models import JobHours, RetryReason
from tms.jobs.schemas import JobBody, RetriesBody, StopBody
from tms.jobs.services import MAX_AT_ONCE, MAX_CHOSEN, MAX_LENGTH, MAX_RETRIES, MAX_RETRY_AFTER_S, MAX_STOP_AFTER
from tms.lib.calendar.durations import SpanField
from tms.lib.calendar.local_time import local_time
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.db.natural_order import natural
from tms.lib.forms import LocalDateTimeField, Plain
from tms.lib.forms.combobox import RowsField, Suggestions
from tms.lib.forms.recurrence import RecurrenceForm
from tms.lib.text_fields import FormLine, FormLines

QUERY, TERMINALS = "query", "terminals"
NOW, AT = "now", "at"
FIELD_OF: Mapping[str, str] = {
    "$.name": "name",
    "$.command": "command",
    "$.query": "q",
    "$.terminals": "terminals",
    "$.at_once": "at_once",
    "$.per_site": "per_site",
    "$.hours": "hours",
    "$.retries.limit": "retry_limit",
    "$.retries.after_s": "retry_after_s",
    "$.retries.reasons": "retry_for",
    "$.stop.above_pct": "stop_above_pct",
    "$.stop.after": "stop_after",
    "$.starts_at": "starts_at",
    "$.ends_after_s": "ends_after_s",
    "$.time_zone": "time_zone",
    "$.rrule": "repeats",
}
"""Where the form shows what the service refuses."""


class JobForm(Plain, RecurrenceForm):
    use_required_attribute = False  # the preview must not wait for the name

    command = forms.ChoiceField(label=_("Command"))
    name = FormLine(label=_("Name"), max_length=100)
    by = forms.ChoiceField(
        label=pgettext_lazy("job", "Targets by"),
        choices=((QUERY, _("Query")), (TERMINALS, pgettext_lazy("job", "Chosen terminals"))),
        widget=forms.RadioSelect,
        initial=QUERY,
    )
    q = FormLines(label=_("Query"), max_length=2_000, required=False)
    terminals = RowsField(
        Terminal.objects.order_by(natural("uid")),
        label=_("Terminals"),
        key="uid",
        widget=Suggestions("suggest-terminals", **{"for": Permission.RUN_JOBS.key}),
        unknown=_("Unknown terminals: %(keys)s. Check the UIDs."),
        required=False,
        help_text=_("By UID. A list can be pasted."),
    )
    start = forms.ChoiceField(
        label=pgettext_lazy("job", "Start"),
        choices=((NOW, pgettext_lazy("start of a job", "Now")), (AT, pgettext_lazy("start of a job", "At a time"))),
        widget=forms.RadioSelect,
        initial=NOW,
    )
    starts_at = LocalDateTimeField(label=pgettext_lazy("job", "First start"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)
    ends_after_s = SpanField(
        label=pgettext_lazy("job", "Ends after"), help_text=_("Terminals that still wait then are left out.")
    )
    hours = forms.ChoiceField(label=pgettext_lazy("job", "Hours"), choices=JobHours)
    at_once = forms.IntegerField(label=pgettext_lazy("job", "At once"), min_value=1, max_value=MAX_AT_ONCE)
    per_site = forms.IntegerField(
        label=pgettext_lazy("job", "At once at a site"),
        min_value=0,
        max_value=MAX_AT_ONCE,
        required=False,
        help_text=_("0 or empty for no limit."),
    )
    retry_limit = forms.IntegerField(
        label=pgettext_lazy("job", "Retries"), min_value=0, max_value=MAX_RETRIES, required=False
    )
    retry_after_s = SpanField(label=pgettext_lazy("job", "Retry after"), required=False)
    retry_for = forms.MultipleChoiceField(
        label=pgettext_lazy("job", "Retry when"),
        choices=RetryReason,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("For nothing else a terminal gets the command twice."),
    )
    stop_above_pct = forms.IntegerField(
        label=pgettext_lazy("job", "Stop above (failed, %)"),
        min_value=0,
        max_value=99,
        required=False,
        help_text=_("0 or empty for never."),
    )
    stop_after = forms.IntegerField(
        label=pgettext_lazy("job", "Of at least"), min_value=1, max_value=MAX_STOP_AFTER, required=False
    )
    is_trial = forms.BooleanField(required=False)
    comment = FormLines(label=pgettext_lazy("action", "Comment"), max_length=500, required=False)

    def __init__(self, data: Any = None, *, by: User, **options: Any) -> None:
        super().__init__(data, **options)
        self.person = by
        self.specs = {spec.name: spec for spec in specs_for(by)}
        self.fields["command"].choices = [(name, spec.label) for name, spec in self.specs.items()]  # type: ignore[attr-defined]
        terminals = self.fields["terminals"]
        assert isinstance(terminals, RowsField)
        assert terminals.queryset is not None
        terminals.queryset = permitted(terminals.queryset, by=by, permission=Permission.RUN_JOBS)
        self.fields["time_zone"].choices = zone_choices(timezone.get_current_timezone_name())  # type: ignore[attr-defined]
        self.dress()
        self.arguments = self._argument_form(data)

    @property
    def spec(self) -> CommandSpec | None:
        """The chosen command; None if it is not one that the person may send by a job."""
        return self.specs.get(str(self["command"].value() or ""))

    @property
    def shows_other_arguments(self) -> bool:
        """Whether the arguments in the browser are those of another command."""
        return self.is_bound and self.data.get("args_of") != self["command"].value()

    @property
    def picked(self) -> list[str]:
        """UIDs of the chosen terminals, known or not."""
        return [str(getattr(one, "uid", one)) for one in self["terminals"].value() or ()]

    @property
    def problems(self) -> set[str]:
        """The fields that hinder a preview: it needs neither the name nor the arguments."""
        return set(self.errors) & {"command", "by", "q", "terminals"}

    def is_valid(self) -> bool:
        return super().is_valid() and (self.arguments is None or self.arguments.is_valid())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("by") == QUERY and not cleaned.get("q") and "q" not in self.errors:
            self.add_error("q", gettext("Enter a query, such as kind:kiosk."))
        if cleaned.get("by") == TERMINALS and "terminals" not in self.errors:
            self._check_chosen(cleaned)
        if cleaned.get("start") == AT and not cleaned.get("starts_at") and "starts_at" not in self.errors:
            self.add_error("starts_at", gettext("Enter when it starts."))
        self._check_spans(cleaned)
        if cleaned.get("retry_limit") and not cleaned.get("retry_for"):
            self.add_error("retry_for", gettext("Choose at least one reason to try again."))
        return cleaned

    def _check_chosen(self, cleaned: dict[str, Any]) -> None:
        number = len(cleaned.get("terminals") or ())
        if not number:
            self.add_error("terminals", gettext("Choose terminals."))
        elif number > MAX_CHOSEN:
            text = gettext("At most %(n)s terminals can be chosen one by one. Use a query for more.")
            self.add_error("terminals", text % {"n": f"{MAX_CHOSEN:,}"})

    def _check_spans(self, cleaned: dict[str, Any]) -> None:
        ends, again = cleaned.get("ends_after_s"), cleaned.get("retry_after_s")
        if ends is not None and not 60 <= ends <= MAX_LENGTH.total_seconds():
            self.add_error("ends_after_s", gettext("From 1 minute to 31 days."))
        if again is not None and not 10 <= again <= MAX_RETRY_AFTER_S:
            self.add_error("retry_after_s", gettext("From 10 seconds to 1 day."))

    def body(self) -> JobBody:
        """The body of the REST operation. Call it after `is_valid()`, or without `problems` for a preview."""
        given = self.cleaned_data
        is_query, is_at = given.get("by") == QUERY, given.get("start") == AT and bool(given.get("starts_at"))
        starts_at: datetime | None = given["starts_at"] if is_at else None
        return JobBody(
            name=given.get("name") or "-",
            comment=given.get("comment") or "",
            command=given["command"],
            args=self.arguments.arguments if self.arguments and self.arguments.is_valid() else {},
            query=given["q"] if is_query else "",
            terminals=[] if is_query else [terminal.uid for terminal in given["terminals"]],
            is_trial=given.get("is_trial") or False,
            at_once=given.get("at_once") or 40,
            per_site=given.get("per_site") or 0,
            answer_within_s=None,
            hours=JobHours(given.get("hours") or JobHours.ANY),
            retries=RetriesBody(
                limit=given.get("retry_limit") or 0,
                after_s=int(given.get("retry_after_s") or 300),
                reasons=[RetryReason(one) for one in given.get("retry_for") or ()],
            ),
            stop=StopBody(above_pct=given.get("stop_above_pct") or 0, after=given.get("stop_after") or 20),
            time_zone=given.get("time_zone") or timezone.get_current_timezone_name(),
            starts_at=starts_at,
            ends_after_s=int(given.get("ends_after_s") or 86_400),
            rrule=self.rule(starts_at) if starts_at and "repeats" not in self.errors else "",
        )

    def add_fault(self, where: str, text: str) -> None:
        """Show what the service refused, at its field if there is one."""
        field = FIELD_OF.get(where)
        if where.startswith("$.args") and self.arguments is not None:
            self.arguments.add_error(None, text)
        self.add_error(field, text)

    def _argument_form(self, data: Any) -> Any:
        """None for a command without arguments."""
        spec = self.spec
        if spec is None:
            return None
        is_same = data is not None and not self.shows_other_arguments
        form = argument_form(spec, data if is_same else None if data is None else {}, initial=self.initial.get("args"))
        return form if form.fields else None


def specs_for(person: User) -> list[CommandSpec]:
    """The commands that the person may send anywhere, and that can be jobs."""
    return [
        spec for spec in catalogue.everything() if spec.danger != Danger.DELETES_DATA and may(person, spec.permission)
    ]


def first_values(at: datetime) -> dict[str, Any]:
    """Initial values of a job that is made from nothing."""
    zone = timezone.get_current_timezone_name()
    start = local_time(at + timedelta(hours=1), ZoneInfo(zone))
    return {
        "by": QUERY,
        "start": NOW,
        "time_zone": zone,
        "starts_at": start.replace(minute=0, second=0, microsecond=0),
        "ends_after_s": 86_400,
        "hours": JobHours.ANY,
        "at_once": 40,
        "per_site": 0,
        "retry_limit": 0,
        "retry_after_s": 300,
        "stop_above_pct": 0,
        "stop_after": 20,
        "repeats": "once",
        "every": 1,
        "unit": "WEEKLY",
    }
