"""The form of a maintenance window. Times are local to the chosen time zone."""

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, permitted
from tms.accounts.permissions import Permission
from tms.alerts.maintenance.services import WindowScope, length_error, scope_error
from tms.alerts.models.maintenance import Window
from tms.fleet.models import Group, Site, Terminal
from tms.fleet.sites.time_zones import zones
from tms.lib.calendar.local_time import shown
from tms.lib.calendar.recurrence import BadRecurrence, Occurrence, Recurrence
from tms.lib.forms import LocalDateTimeField
from tms.lib.text_fields import FormLine, FormLines

ONCE, DAILY, WORKDAYS, WEEKLY, MONTHLY, OWN = "once", "daily", "workdays", "weekly", "monthly", "own"
REPEATS = (
    (ONCE, _("Once")),
    (DAILY, _("Daily")),
    (WORKDAYS, _("Monday to Friday")),
    (WEEKLY, _("Weekly, same weekday")),
    (MONTHLY, _("Monthly, same weekday")),
    (OWN, _("Custom recurrence (RRULE)")),
)
EXTEND_BY = ((30, _("30 min")), (60, _("1 h")), (120, _("2 h")))
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LAST_WEEK = 5
MAX_TERMINALS = 5_000
SEPARATORS = re.compile(r"[\s,;]+")


class WindowForm(forms.Form):
    note = FormLine(max_length=Window._meta.get_field("note").max_length)
    sites = forms.ModelMultipleChoiceField(Site.objects.none(), to_field_name="code", required=False)
    groups = forms.ModelMultipleChoiceField(Group.objects.none(), required=False)
    terminals = FormLines(required=False)
    time_zone = forms.ChoiceField()
    starts_at = LocalDateTimeField()
    ends_at = LocalDateTimeField()
    repeats = forms.ChoiceField(choices=REPEATS, required=False)
    rrule = FormLine(max_length=Window._meta.get_field("rrule").max_length, required=False)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        """With the sites, groups and terminals for which the person may plan maintenance."""
        super().__init__(*args, **options)
        self.permitted = partial(permitted, by=by, permission=Permission.PLAN_MAINTENANCE)
        for name, rows in (("sites", Site.objects.order_by("code")), ("groups", Group.objects.order_by("name"))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = self.permitted(rows)
        self.zone_field.choices = [(zone, zone) for zone in zones()]

    @property
    def zone_field(self) -> forms.ChoiceField:
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        return field

    def clean_terminals(self) -> list[Terminal]:
        uids = set(filter(None, SEPARATORS.split(self.cleaned_data["terminals"])))
        if len(uids) > MAX_TERMINALS:
            raise forms.ValidationError(gettext("Too many terminals. Create a group and choose it instead."))
        found = list(self.permitted(Terminal.objects.filter(uid__in=uids)).order_by("uid"))
        unknown = sorted(uids - {terminal.uid for terminal in found})
        if unknown:
            raise forms.ValidationError(
                gettext("Unknown terminals: %(uids)s. Check the UIDs.") % {"uids": ", ".join(unknown[:5])}
            )
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors.keys() & {"sites", "groups", "terminals"} and (error := scope_error(self.scope)):
            self.add_error("sites", error)
        if not self.errors.keys() & {"starts_at", "ends_at"} and (
            error := length_error(cleaned["ends_at"] - cleaned["starts_at"])
        ):
            self.add_error("ends_at", error)
        if cleaned.get("repeats") == OWN and not cleaned.get("rrule"):
            self.add_error("rrule", gettext("Enter a recurrence, for example FREQ=WEEKLY;BYDAY=SU."))
        if not self.problems:
            try:
                cleaned["recurrence"] = self._recurrence(cleaned)
                next(cleaned["recurrence"].occurrences(cleaned["starts_at"].replace(tzinfo=ZoneInfo("UTC"))), None)
            except BadRecurrence as error:
                self.add_error("rrule", str(error))
        return cleaned

    @property
    def scope(self) -> WindowScope:
        cleaned = self.cleaned_data
        return WindowScope(
            list(cleaned.get("sites") or ()), list(cleaned.get("groups") or ()), cleaned.get("terminals") or []
        )

    @property
    def problems(self) -> set[str]:
        """The fields that hinder a preview: it does not need the purpose."""
        return set(self.errors) - {"note"}

    def preview(self, number: int, *, at: datetime) -> list[Occurrence]:
        """The next occurrences; none while scope or times are invalid."""
        if self.problems:
            return []
        coming = self.cleaned_data["recurrence"].occurrences(at)
        return [occurrence for occurrence, _ in zip(coming, range(number), strict=False)]

    def _recurrence(self, cleaned: dict[str, Any]) -> Recurrence:
        starts_at: datetime = cleaned["starts_at"]
        rule = rule_of(cleaned["repeats"] or ONCE, starts_at) if cleaned["repeats"] != OWN else cleaned["rrule"]
        return Recurrence(ZoneInfo(cleaned["time_zone"]), starts_at, cleaned["ends_at"] - starts_at, rule)


class ExtendForm(forms.Form):
    minutes = forms.TypedChoiceField(choices=EXTEND_BY, coerce=int)
    seen_until = FormLine(max_length=40, required=False)
    """The end of the occurrence that the dialog showed."""

    def was_seen(self, until: datetime) -> bool:
        """Whether the person saw this end, or a client does not say which."""
        return self.cleaned_data["seen_until"] in {"", until.isoformat()}


def rule_of(repeats: str, starts_at: datetime) -> str:
    day = DAYS[starts_at.weekday()]
    week = (starts_at.day - 1) // 7 + 1
    return {
        ONCE: "",
        DAILY: "FREQ=DAILY",
        WORKDAYS: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        WEEKLY: f"FREQ=WEEKLY;BYDAY={day}",
        MONTHLY: f"FREQ=MONTHLY;BYDAY={-1 if week == LAST_WEEK else week}{day}",
    }[repeats]


def begun(*, sites: list[Site], terminals: list[Terminal], at: datetime) -> dict[str, Any]:
    """Initial values of a new form: one hour from now, in the local time of the selected sites."""
    zones = {site.time_zone for site in (*sites, *(terminal.site for terminal in terminals))}
    zone = zones.pop() if len(zones) == 1 else settings.TIME_ZONE
    starts_at = shown(at, ZoneInfo(zone)).replace(second=0, microsecond=0)
    return {
        "sites": [site.code for site in sites],
        "terminals": "\n".join(terminal.uid for terminal in terminals),
        "time_zone": zone,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "repeats": ONCE,
    }
