"""Who is on call when. Pure.

People have on-call shifts in their order, from one handover to the next. Handovers are local times in the zone of the
rotation, with any offset from UTC, so that shifts neither overlap nor leave a gap. A cover takes precedence over
the regular shift; of several, the one added last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tms.lib.calendar.local_time import instant, local_time
from tms.lib.calendar.opening_hours import EVER

WEEK = 7


class CoverInterval(NamedTuple):
    """One person is on call instead of the regular shift."""

    person: int
    since: datetime
    until: datetime


class OnCallShift(NamedTuple):
    person: int | None
    """The person on call. None: nobody."""
    since: datetime
    until: datetime
    is_cover: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    zone: ZoneInfo
    starts_on: date
    handover_at: time
    people: Sequence[int] = ()
    every_days: int = WEEK
    weekdays: Sequence[int] = ()
    """Days of each week on which handovers are (0 is Monday). If there are any, `every_days` is ignored."""
    covers: Sequence[CoverInterval] = ()
    """Overrides in the order in which they were added."""

    def on_call(self, at: datetime) -> OnCallShift:
        """Who is on call, from when until when. Nobody before the rotation starts."""
        return next(self.shifts(at, at + timedelta(microseconds=1)))

    def shifts(self, at: datetime, until: datetime) -> Iterator[OnCallShift]:
        """The shifts in order, from the one at `at` to the last that begins before `until`."""
        current = self._shift_at(at)
        while current.until < until:
            following = self._shift_at(current.until)
            if (following.person, following.is_cover) == (current.person, current.is_cover):
                current = current._replace(until=following.until)
                continue
            yield current
            current = following
        yield current

    def _shift_at(self, at: datetime) -> OnCallShift:
        """The part of the shift at `at` in which no cover begins or ends."""
        number = self._number(at)
        since, until = self._handover(number), self._handover(number + 1)
        edges = [edge for cover in self.covers for edge in (cover.since, cover.until)]
        since = max([since, *(edge for edge in edges if edge <= at)])
        until = min([until, *(edge for edge in edges if edge > at)])
        covering = [cover.person for cover in self.covers if cover.since <= at < cover.until]
        if covering:
            return OnCallShift(covering[-1], since, until, is_cover=True)
        return OnCallShift(
            self.people[number % len(self.people)] if self.people and number >= 0 else None, since, until
        )

    def _number(self, at: datetime) -> int:
        """Number of the shift at `at`; -1 before the first."""
        days = (local_time(at, self.zone).date() - self.starts_on).days
        periods, rest = divmod(days, self._period)
        number = periods * len(self._offsets) + sum(offset <= rest for offset in self._offsets) - 1
        return max(-1, number - 1 if number >= 0 and self._handover(number) > at else number)

    def _handover(self, number: int) -> datetime:
        """The begin of the shift with that number."""
        if number < 0:
            return EVER
        periods, rest = divmod(number, len(self._offsets))
        day = self.starts_on + timedelta(days=periods * self._period + self._offsets[rest])
        return instant(datetime.combine(day, self.handover_at), self.zone)

    @property
    def _period(self) -> int:
        return WEEK if self.weekdays else self.every_days

    @property
    def _offsets(self) -> list[int]:
        """The days of a period on which a shift begins."""
        first = self.starts_on.weekday()
        return sorted({(weekday - first) % WEEK for weekday in self.weekdays}) or [0]
