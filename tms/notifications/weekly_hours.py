"""Hours of the week, in a time zone."""

from collections.abc import Callable, Iterator, Mapping
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db import models
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.lib.calendar.opening_hours import Hours, OpenInterval
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.forms import when


class HoursOfWeek(models.Model):
    """An end at or before the begin is on the next day: 22:00 to 07:00, or 00:00 to 00:00 for all day."""

    hours_days = models.JSONField(default=list, db_default=[], blank=True)
    """The days on which they begin, 0 is Monday; none chosen is each."""
    hours_from = models.TimeField(_("from"), null=True, blank=True)
    hours_until = models.TimeField(_("until"), null=True, blank=True)
    hours_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="", db_default="")

    class Meta:
        abstract = True

    @property
    def hours(self) -> Hours | None:
        """The hours of a row; None if it has none."""
        if self.hours_from is None or self.hours_until is None:
            return None
        span = (OpenInterval(self.hours_from, self.hours_until),)
        days = self.hours_days or range(7)
        return Hours(ZoneInfo(self.hours_zone or settings.TIME_ZONE), dict.fromkeys(days, span))


HOURS_FIELDS = ("hours_days", "hours_from", "hours_until", "hours_zone")


def hours_values(row: HoursOfWeek) -> dict[str, object]:
    """The values in the form that forms and the API use."""
    return {
        "hours_days": row.hours_days,
        "hours_from": _format(row.hours_from),
        "hours_until": _format(row.hours_until),
        "hours_zone": row.hours_zone,
    }


def hours_form_fields(row: HoursOfWeek) -> Mapping[str, forms.Field]:
    of_tms = settings.TIME_ZONE
    zones = [choice for choice in zone_choices(row.hours_zone) if row.hours_zone == of_tms or choice[0] != of_tms]
    return {
        "hours_days": forms.TypedMultipleChoiceField(
            label=_("Days"),
            choices=list(WEEKDAYS.items()),
            coerce=int,
            widget=forms.CheckboxSelectMultiple,
            required=False,
            help_text=_("No selection means every day. Overnight hours count toward the day they start."),
        ),
        "hours_from": _time_field(_("From")),
        "hours_until": _time_field(_("Until")),
        "hours_zone": forms.ChoiceField(label=_("Time zone"), choices=[("", of_tms), *zones], required=False),
    }


def set_hours(row: HoursOfWeek, values: Mapping[str, Any], time_of: Callable[[str, str], time | None]) -> None:
    """Set the `hours_values` of a request without saving the row. `time_of` reads a time, and knows where it is."""
    row.hours_days, row.hours_zone = values["hours_days"], values["hours_zone"]
    row.hours_from = time_of(values["hours_from"], "$.hours_from")
    row.hours_until = time_of(values["hours_until"], "$.hours_until")


def faults_in_hours(row: HoursOfWeek, *, are_needed: bool) -> Iterator[tuple[str, str]]:
    """The field that is wrong, and what would be right."""
    begins, ends = row.hours_from, row.hours_until
    if (begins is None) != (ends is None) or (are_needed and begins is None):
        yield "hours_until" if begins is not None else "hours_from", gettext("Enter both times.")


def _time_field(label: Any) -> forms.TimeField:
    return forms.TimeField(label=label, required=False, widget=forms.TimeInput(attrs=when("time"), format="%H:%M"))


def _format(at: time | None) -> str:
    return "" if at is None else f"{at:%H:%M}"
