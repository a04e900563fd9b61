"""When a maintenance window takes place: once, or again and again by an iCalendar rule (RFC 5545, RRULE). Pure.

A rule is followed on the calendar and the clocks of its zone, so that each date it names has one occurrence, however
clocks change. If they show the time of its start twice, the first counts, and the second of its end. If they leap over
all of it, it begins at the leap and has its full length.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from django.utils.translation import gettext

from tms.lib.calendar.local_time import instant, local_time

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = frozenset(
    {
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "BYDAY",
        "BYMONTH",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYSETPOS",
        "WKST",
    }
)
"""Dates only: parts with times of day would make several occurrences a day."""
NUMBER = re.compile(r"[1-9][0-9]{0,3}")
MAX_NUMBERS = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366, "BYDAY": 53}
"""The largest number in each part. Except in BYMONTH, negative numbers count from the end."""
WEEKS_OF_MONTH = 5
OF_WEEKDAYS = "AEFHMORSTUW()"
"""What surrounds the number of a weekday, as in `2SU` or `SU(+2)`."""
HORIZON = timedelta(days=3_660)
"""A rule that names no date within ten years is taken to name none."""
LATEST = datetime.max - HORIZON  # noqa: DTZ901  (a wall time)
CYCLE_YEARS = 400
"""All dates fall on the same weekdays again after this number of years."""


class BadRecurrence(Exception):
    """The text explains the problem to a person."""

    code = "tms:bad-recurrence"


class Occurrence(NamedTuple):
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Recurrence:
    zone: ZoneInfo
    starts_at: datetime
    """The start of the first occurrence, as a naive datetime in the local time of the zone."""
    length: timedelta
    """How long the clocks of the zone run from the start to the end of an occurrence."""
    rule: str = ""
    """The iCalendar rule. Empty: it occurs once."""

    def occurrences(self, after: datetime) -> Iterator[Occurrence]:
        """Occurrences that end after `after`, in order. Raises BadRecurrence for an invalid rule."""
        for wall in self._local_starts(min(max(local_time(after, self.zone), self.starts_at), LATEST) + HORIZON):
            found = self._occurrence(wall)
            if found.until > after:
                yield found

    def _occurrence(self, wall: datetime) -> Occurrence:
        since = instant(wall, self.zone)
        until = instant(wall + self.length, self.zone, last=True)
        return Occurrence(since, until if until > since else since + self.length)

    def _local_starts(self, horizon: datetime) -> Iterator[datetime]:
        if not self.rule:
            return iter((self.starts_at,))
        parts = parse_rule(self.rule)
        count = int(parts.pop("COUNT", 0)) or None
        until = min(horizon, _until(parts.pop("UNTIL", ""), self.zone) or horizon)
        return islice(_dates(parts, self.starts_at, until), count)


def _dates(parts: Mapping[str, str], since: datetime, until: datetime) -> Iterator[datetime]:
    """The dates of a rule, found by dateutil as late in its calendar as possible.

    For a rule that names no date at all, such as 30 February, dateutil searches to the year 9999.
    """
    years = (MAXYEAR - max(since.year, until.year)) // CYCLE_YEARS * CYCLE_YEARS
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        for date in rrulestr(f"{text};UNTIL={_move(until, years):%Y%m%dT%H%M%S}", dtstart=_move(since, years)):
            yield _move(date, -years)
    except (LookupError, TypeError, ValueError) as error:  # dateutil finds some errors only at a certain date
        raise BadRecurrence(gettext("Invalid recurrence: %(reason)s") % {"reason": error}) from None


def _move(date: datetime, years: int) -> datetime:
    return date.replace(year=date.year + years)


def parse_rule(rule: str) -> dict[str, str]:
    """The parts of an RRULE by name. Raises BadRecurrence if it is invalid or contains times of day."""
    pairs = [part.partition("=") for part in rule.upper().removeprefix("RRULE:").split(";")]
    parts = {name: value for name, _, value in pairs}
    if unknown := sorted(parts.keys() - PARTS) or sorted(name for name, value in parts.items() if not value):
        raise BadRecurrence(
            gettext("%(name)s is not allowed in a recurrence. Remove it.") % {"name": unknown[0] or "?"}
        )
    if parts.get("FREQ") not in FREQUENCIES:
        raise BadRecurrence(gettext("A recurrence needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY."))
    if len(parts) < len(pairs):
        raise BadRecurrence(gettext("A recurrence may name each part only once."))
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not NUMBER.fullmatch(parts[name]):
            raise BadRecurrence(gettext("%(name)s must be a number from 1 to 9999.") % {"name": name})
    _check_ranges(parts)
    return parts


def _check_ranges(parts: Mapping[str, str]) -> None:
    """Raises BadRecurrence for a number that no date has: dateutil would fail at the first date that needs it."""
    is_of_month = parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts
    largest = {**MAX_NUMBERS, "BYDAY": WEEKS_OF_MONTH} if is_of_month else MAX_NUMBERS
    for name, number in largest.items():
        for item in parts.get(name, "").split(","):
            _check_range(name, item, number)


def _check_range(name: str, item: str, largest: int) -> None:
    is_signed = name != "BYMONTH"
    try:
        number = int(item.strip(OF_WEEKDAYS))
    except ValueError:  # not a number; dateutil says so
        return
    if not 1 <= (abs(number) if is_signed else number) <= largest:
        allowed = f"1…{largest}" + (f", -1…-{largest}" if is_signed else "")
        text = gettext("%(part)s is out of range. Allowed: %(range)s.")
        raise BadRecurrence(text % {"part": f"{name}={item}", "range": allowed})


def _until(text: str, zone: ZoneInfo) -> datetime | None:
    """A date includes the whole day; an instant (with a Z) is converted to the local time of the zone."""
    for form in ("%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S", "%Y%m%d"):
        try:
            until = datetime.strptime(text, form)  # noqa: DTZ007  (a wall time, but for the first form)
        except ValueError:
            continue
        if form.endswith("Z"):
            return local_time(until.replace(tzinfo=UTC), zone)
        return until if "T" in form else until + timedelta(days=1, seconds=-1)
    if text:
        raise BadRecurrence(gettext("UNTIL must be a date such as 20261231, or a time such as 20261231T180000Z."))
    return None
