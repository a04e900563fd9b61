"""Recurrences that a form can express, and their iCalendar rules (RFC 5545, RRULE). Pure.

A rule with other parts is not a `Repetition`: pages show it as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from django.db import models
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.lib.calendar.dates import date_text
from tms.lib.calendar.recurrence import BadRecurrence, parse_rule

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORKDAYS = (0, 1, 2, 3, 4)
LAST = -1
NTH = re.compile(r"(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)")
MONTH_DAY = re.compile(r"-1|[1-9]|[12][0-9]|3[01]")
MAX_EVERY, MAX_TIMES = 99, 999


class RepeatUnit(models.TextChoices):
    DAY = "DAILY", pgettext_lazy("unit of a recurrence", "day")
    WEEK = "WEEKLY", pgettext_lazy("unit of a recurrence", "week")
    MONTH = "MONTHLY", pgettext_lazy("unit of a recurrence", "month")
    YEAR = "YEARLY", pgettext_lazy("unit of a recurrence", "year")


@dataclass(frozen=True, slots=True)
class Repetition:
    """Every `every` days, weeks, months or years, from the first occurrence on."""

    unit: RepeatUnit
    every: int = 1
    weekdays: tuple[int, ...] = ()
    """Days of the week, 0 is Monday; empty is the weekday of the first occurrence."""
    nth: int | None = None
    """Which `weekday` of the month: the first to the fourth (1 to 4), or the last (-1)."""
    weekday: int | None = None
    month_day: int | None = None
    """The day of the month: 1 to 31, or -1 for its last day. If this and `nth` are None: the day of the first
    occurrence.
    """
    until: date | None = None
    times: int | None = None

    @property
    def rule(self) -> str:
        days = ",".join(DAYS[day] for day in self.weekdays)
        parts = {
            "FREQ": self.unit.value,
            "INTERVAL": self.every if self.every > 1 else "",
            "BYDAY": days if self.nth is None or self.weekday is None else f"{self.nth}{DAYS[self.weekday]}",
            "BYMONTHDAY": self.month_day or "",
            "UNTIL": f"{self.until:%Y%m%d}" if self.until else "",
            "COUNT": self.times or "",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)

    @classmethod
    def of(cls, rule: str) -> Self | None:
        """The repetition of a rule; None for a rule with other parts, and for an invalid one."""
        try:
            parts = parse_rule(rule)
            unit = RepeatUnit(parts.pop("FREQ"))
            found = cls(unit, int(parts.pop("INTERVAL", 1)), **_ends(parts), **_days(unit, parts))
        except (BadRecurrence, ValueError):
            return None
        return found if not parts and found.every <= MAX_EVERY else None

    @property
    def text(self) -> str:
        """The repetition in words: `every 2 weeks on Mon, Tue, until 31 Dec 2027`."""
        return _with_end(self._without_end(), self)

    def _without_end(self) -> str:
        each = _each(self.unit, self.every)
        if self.weekdays == WORKDAYS and self.every == 1:
            return gettext("Monday to Friday")
        if self.weekdays:
            days = pgettext("between weekdays", ", ").join(str(WEEKDAYS_ABBR[day]) for day in self.weekdays)
            return gettext("%(each)s on %(days)s") % {"each": each, "days": days}
        if self.nth is not None and self.weekday is not None:
            values = {"each": each, "nth": NTHS[self.nth], "day": WEEKDAYS[self.weekday]}
            return gettext("%(each)s on the %(nth)s %(day)s") % values
        if self.month_day == LAST:
            return gettext("%(each)s on the last day") % {"each": each}
        if self.month_day:
            return gettext("%(each)s on day %(number)d") % {"each": each, "number": self.month_day}
        return each


NTHS: Mapping[int, Any] = {
    1: pgettext_lazy("weekday of a month", "first"),
    2: pgettext_lazy("weekday of a month", "second"),
    3: pgettext_lazy("weekday of a month", "third"),
    4: pgettext_lazy("weekday of a month", "fourth"),
    LAST: pgettext_lazy("weekday of a month", "last"),
}
EACH = {
    RepeatUnit.DAY: _("every day"),
    RepeatUnit.WEEK: _("every week"),
    RepeatUnit.MONTH: _("every month"),
    RepeatUnit.YEAR: _("every year"),
}


def repetition_text(rule: str) -> str:
    """A rule in words if there are any, otherwise the rule itself."""
    found = Repetition.of(rule)
    return found.text if found else rule


def _each(unit: RepeatUnit, number: int) -> str:
    if number == 1:
        return str(EACH[unit])
    texts = {
        RepeatUnit.DAY: ngettext("every %(number)d day", "every %(number)d days", number),
        RepeatUnit.WEEK: ngettext("every %(number)d week", "every %(number)d weeks", number),
        RepeatUnit.MONTH: ngettext("every %(number)d month", "every %(number)d months", number),
        RepeatUnit.YEAR: ngettext("every %(number)d year", "every %(number)d years", number),
    }
    return texts[unit] % {"number": number}


def _with_end(text: str, repetition: Repetition) -> str:
    if repetition.until:
        end = date_text(repetition.until)
        return gettext("%(repeats)s, until %(date)s") % {"repeats": text, "date": end}
    if repetition.times:
        number = repetition.times
        times = ngettext("%(repeats)s, %(number)d time", "%(repeats)s, %(number)d times", number)
        return times % {"repeats": text, "number": number}
    return text


def _ends(parts: dict[str, str]) -> dict[str, Any]:
    """Takes them from `parts`. Raises ValueError for an end that is not a date."""
    ends: dict[str, Any] = {}
    if until := parts.pop("UNTIL", ""):
        ends["until"] = datetime.strptime(until, "%Y%m%d").date()  # noqa: DTZ007  (a date)
    if times := parts.pop("COUNT", ""):
        ends["times"] = int(times)
    return ends


def _days(unit: RepeatUnit, parts: dict[str, str]) -> dict[str, Any]:
    """Takes them from `parts`. Raises ValueError for others than a form offers."""
    days: dict[str, Any] = {}
    if unit is RepeatUnit.WEEK and "BYDAY" in parts:
        days["weekdays"] = tuple(sorted({DAYS.index(day) for day in parts.pop("BYDAY").split(",")}))
    if unit is RepeatUnit.MONTH and (found := NTH.fullmatch(parts.get("BYDAY", ""))):
        del parts["BYDAY"]
        days |= {"nth": int(found[1]), "weekday": DAYS.index(found[2])}
    elif unit is RepeatUnit.MONTH and MONTH_DAY.fullmatch(parts.get("BYMONTHDAY", "")):
        days["month_day"] = int(parts.pop("BYMONTHDAY"))
    return days
