"""Reads the opening hours of sites from the database."""

from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from tms.fleet.models import OnHolidays, Site
from tms.fleet.models.opening_hours import HOLIDAY, OpeningHours, SpecialDay
from tms.lib.calendar.dates import DAY
from tms.lib.calendar.opening_hours import Hours, OpenInterval, Spans
from tms.lib.calendar.public_holidays import public_holidays


def hours_of(site_ids: Collection[int]) -> dict[int, Hours]:
    """The opening hours of each site, read in three queries regardless of the number of sites."""
    weeks, special_days = _weeks(site_ids), _special_days(site_ids)
    sites = Site.objects.filter(pk__in=site_ids).values_list("pk", "time_zone", "holiday_calendar", "on_holidays")
    return {
        pk: _hours(zone, calendar, on_holidays, weeks.get(pk, {}), special_days.get(pk, {}))
        for pk, zone, calendar, on_holidays in sites
    }


def _hours(zone: str, calendar: str, on_holidays: str, week: dict[int, Spans], special: dict[date, Spans]) -> Hours:
    at_holidays = week.pop(HOLIDAY, ())
    if on_holidays == OnHolidays.AS_USUAL:
        return Hours(ZoneInfo(zone), week, special_days=special)
    holidays = public_holidays(calendar)
    return Hours(ZoneInfo(zone), week, holidays, at_holidays if on_holidays == OnHolidays.OTHER else (), special)


def _weeks(site_ids: Collection[int]) -> dict[int, dict[int, Spans]]:
    weeks: dict[int, dict[int, Spans]] = {}
    rows = OpeningHours.objects.filter(site__in=site_ids).order_by("opens_at")
    for site_id, weekday, *times in rows.values_list("site", "weekday", "opens_at", "closes_at"):
        week = weeks.setdefault(site_id, {})
        week[weekday] = (*week.get(weekday, ()), OpenInterval(*times))
    return weeks


def _special_days(site_ids: Collection[int]) -> dict[int, dict[date, Spans]]:
    """A day with several rows is open during each of their intervals."""
    special_days: dict[int, dict[date, Spans]] = {}
    rows = SpecialDay.objects.filter(site__in=site_ids).order_by("opens_at")
    for site_id, first, last, opens, closes in rows.values_list("site", "first_on", "last_on", "opens_at", "closes_at"):
        spans = () if opens is None or closes is None else (OpenInterval(opens, closes),)
        days = special_days.setdefault(site_id, {})
        for number in range(((last or first) - first).days + 1):
            day = first + number * DAY
            days[day] = (*days.get(day, ()), *spans)
    return special_days
