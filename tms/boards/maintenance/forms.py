"""The form of a maintenance window. Times are local to the chosen time zone."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, permitted
from tms.accounts.permissions import Permission
from tms.alerts.maintenance.services import WindowScope, length_error, scope_error
from tms.alerts.models.maintenance import Window
from tms.fleet.models import Group, Site, Terminal
from tms.lib.calendar.local_time import local_time
from tms.lib.calendar.recurrence import BadRecurrence, Occurrence, Recurrence
from tms.lib.calendar.repetition import RepeatUnit
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.db.natural_order import natural
from tms.lib.forms import LocalDateTimeField, Plain
from tms.lib.forms.combobox import Combobox, RowsField, Suggestions
from tms.lib.forms.recurrence import ONCE, RecurrenceForm, initial_of
from tms.lib.text_fields import FormLine

EXTEND_BY = ((30, _("30 min")), (60, _("1 h")), (120, _("2 h")))
MAY_PLAN = {"for": Permission.PLAN_MAINTENANCE.key}


class WindowForm(Plain, RecurrenceForm):
    use_required_attribute = False  # the preview must not wait for the purpose

    note = FormLine(label=_("Purpose"), max_length=Window._meta.get_field("note").max_length)
    sites = RowsField(
        Site.objects.order_by("code"),
        label=_("Sites"),
        key="code",
        widget=Suggestions("suggest-sites", **MAY_PLAN),
        unknown=_("Unknown sites: %(keys)s. Check the codes."),
        required=False,
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"), label=_("Groups"), widget=Combobox, required=False
    )
    terminals = RowsField(
        Terminal.objects.order_by(natural("uid")),
        label=_("Terminals"),
        key="uid",
        widget=Suggestions("suggest-terminals", **MAY_PLAN),
        unknown=_("Unknown terminals: %(keys)s. Check the UIDs."),
        required=False,
        help_text=_("By UID. A list can be pasted."),
    )
    starts_at = LocalDateTimeField(label=_("From"))
    ends_at = LocalDateTimeField(label=_("Until"))
    time_zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        """Offer the sites, groups and terminals for which the person may plan maintenance."""
        super().__init__(*args, **options)
        mine = partial(permitted, by=by, permission=Permission.PLAN_MAINTENANCE)
        for name in ("sites", "groups", "terminals"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            assert field.queryset is not None
            field.queryset = mine(field.queryset)
        self.zone_field.choices = zone_choices(timezone.get_current_timezone_name())
        self.dress()

    @property
    def zone_field(self) -> forms.ChoiceField:
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        return field

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors.keys() & {"sites", "groups", "terminals"} and (error := scope_error(self.scope)):
            self.add_error("sites", error)
        if not self.errors.keys() & {"starts_at", "ends_at"} and (
            error := length_error(cleaned["ends_at"] - cleaned["starts_at"])
        ):
            self.add_error("ends_at", error)
        if not self.problems:
            try:
                cleaned["recurrence"] = self._recurrence(cleaned)
                next(cleaned["recurrence"].occurrences(cleaned["starts_at"].replace(tzinfo=ZoneInfo("UTC"))), None)
            except BadRecurrence as error:
                self.add_error("repeats", str(error))
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
        length = cleaned["ends_at"] - starts_at
        return Recurrence(ZoneInfo(cleaned["time_zone"]), starts_at, length, self.rule(starts_at))


class ExtendForm(forms.Form):
    minutes = forms.TypedChoiceField(choices=EXTEND_BY, coerce=int)
    seen_until = FormLine(max_length=40, required=False)
    """The end of the occurrence that the dialog showed."""

    def was_seen(self, until: datetime) -> bool:
        """Whether the person saw this end, or a client does not say which."""
        return self.cleaned_data["seen_until"] in {"", until.isoformat()}


def initial_values(*, sites: list[Site], terminals: list[Terminal], at: datetime) -> dict[str, Any]:
    """Initial values of a new form: one hour from now, in the local time of the sites, or else of the person."""
    zones = {site.time_zone for site in (*sites, *(terminal.site for terminal in terminals))}
    zone = zones.pop() if len(zones) == 1 else timezone.get_current_timezone_name()
    starts_at = local_time(at, ZoneInfo(zone)).replace(second=0, microsecond=0)
    return {
        "sites": sites,
        "terminals": terminals,
        "time_zone": zone,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "repeats": ONCE,
        "every": 1,
        "unit": RepeatUnit.WEEK,
    }


def again(window: Window, *, at: datetime) -> dict[str, Any]:
    """Initial values to plan a window once more: at the same time of day, from its next occurrence or else today."""
    planned = window.recurrence
    coming = next(planned.occurrences(at), None)
    first_on = local_time(coming.since if coming else at, planned.zone).date()
    starts_at = datetime.combine(first_on, planned.starts_at.time())
    return {
        "note": window.note,
        "sites": window.sites.all(),
        "groups": window.groups.all(),
        "terminals": window.terminals.all(),
        "time_zone": window.time_zone,
        "starts_at": starts_at,
        "ends_at": starts_at + planned.length,
        **initial_of(planned.rule, first_on),
    }
