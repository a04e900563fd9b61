"""Opening hours of sites, and their special days."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField

HOLIDAY = 7
"""Represents public holidays among the weekdays."""
MAX_DAYS = 366


class OpeningHours(models.Model):
    """An interval of one weekday (0 is Monday), in the site's time zone, during which it is open.

    A closing time at or before the opening time is on the next day: 18:00 to 02:00, or 00:00 to 00:00 for all day.
    """

    site = models.ForeignKey("fleet.Site", models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(_("weekday"))
    opens_at = models.TimeField(_("opens at"))
    closes_at = models.TimeField(_("closes at"))

    class Meta:
        ordering = ("weekday", "opens_at")
        verbose_name = verbose_name_plural = _("opening hours")
        constraints = (
            models.UniqueConstraint(fields=("site", "weekday", "opens_at"), name="opening_once"),
            models.CheckConstraint(condition=models.Q(weekday__lte=HOLIDAY), name="opening_weekday"),
        )

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens_at:%H:%M} to {self.closes_at:%H:%M}"


class SpecialDay(models.Model):
    """Days on which a site is closed or has other hours than its week; they override public holidays."""

    site = models.ForeignKey("fleet.Site", models.CASCADE, related_name="special_days")
    first_on = models.DateField(_("first day"))
    last_on = models.DateField(_("last day"), null=True, blank=True, help_text=_("Leave empty for a single day."))
    opens_at = models.TimeField(_("opens at"), null=True, blank=True, help_text=_("Leave empty if closed."))
    closes_at = models.TimeField(_("closes at"), null=True, blank=True)
    note = LineField(_("note"), max_length=100, blank=True)

    class Meta:
        ordering = ("first_on", "opens_at")
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(last_on=None) | models.Q(last_on__gte=models.F("first_on")),
                name="special_day_order",
                violation_error_message=_("The last day must not be before the first."),
            ),
            models.CheckConstraint(
                condition=models.Q(opens_at=None, closes_at=None)
                | models.Q(opens_at__isnull=False, closes_at__isnull=False),
                name="special_day_times",
                violation_error_message=_("Enter both times, or neither for a day on which the site is closed."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.first_on} {self.note}".strip()

    def clean(self) -> None:
        """The calendar expands every day of the range, so its length is limited."""
        if _days_between(self.first_on, self.last_on) >= MAX_DAYS:
            raise ValidationError({"last_on": gettext("The last day must be within a year of the first.")})


def _days_between(first: date | None, last: date | None) -> int:
    """The number of days between the dates of a form; 0 if one of them is missing."""
    return (last - first).days if first and last else 0
