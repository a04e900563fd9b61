"""Months and lengths of time in reports, as text in the active language."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

MINUTE, HOUR = 60, 3_600
LONG = 100 * HOUR
"""From here on, minutes say nothing."""


def month_text(first: date) -> str:
    """`October 2026`"""
    # Translators: a month with its year, in Django's date format
    return date_format(first, pgettext("date format", "F Y"))


def short_month(first: date) -> str:
    """`Oct`"""
    # Translators: a month under a column of a chart, in Django's date format
    return date_format(first, pgettext("date format", "M"))


def day_text(day: date) -> str:
    """`31 October`"""
    # Translators: a day without the year, in Django's date format
    return date_format(day, pgettext("date format", "j F"))


def lost_text(seconds: float) -> str:
    """`41 h 12 min`, from 100 hours on `512 h`."""
    hours, minutes = int(seconds) // HOUR, int(seconds) // MINUTE % MINUTE
    if seconds >= LONG:
        return gettext("%(hours)s h") % {"hours": f"{round(seconds / HOUR):,}"}
    return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": f"{minutes:02}"}


def clock_text(seconds: float | None) -> str:
    """`1:48` minutes and seconds, or `1:52:00` with hours."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    hours, minutes, rest = whole // HOUR, whole // MINUTE % MINUTE, whole % MINUTE
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
