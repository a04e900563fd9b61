"""When a site is open: its week, public holidays and special days, in its time zone. Pure.

Hours are local times. Where the clocks go back, a site is open from the first time they show its opening to the last
time they show its closing; where they skip an hour, what would begin or end within it does so at the change.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tms.lib.calendar.dates import DAY
from tms.lib.calendar.local_time import instant

HORIZON = timedelta(days=366)
"""How far ahead openings are searched."""
EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Run(NamedTuple):
    """A period without a break."""

    since: datetime
    until: datetime


class OpenInterval(NamedTuple):
    """Local times. If `closes_at` is not later than `opens_at`, it is on the next day; 00:00 to 00:00 is all day."""

    opens_at: time
    closes_at: time

    def on(self, day: date, zone: ZoneInfo) -> Run:
        closes_on = day if self.closes_at > self.opens_at else day + DAY
        return Run(
            instant(datetime.combine(day, self.opens_at), zone),
            instant(datetime.combine(closes_on, self.closes_at), zone, last=True),
        )


type Spans = tuple[OpenInterval, ...]

ALL_DAY: Spans = (OpenInterval(time.min, time.min),)


@dataclass(frozen=True)
class Hours:
    zone: ZoneInfo
    week: Mapping[int, Spans] = field(default_factory=dict)
    """Hours by weekday, 0 is Monday; a missing day is closed. A site without any hours is always open."""
    holidays: Container[date] = frozenset()
    on_holidays: Spans | None = None
    """Hours on public holidays. None: a holiday is a normal day."""
    special_days: Mapping[date, Spans] = field(default_factory=dict)
    """Closing days and exceptional openings. They override the week and the holidays."""

    def is_open(self, at: datetime) -> bool:
        run = next(self.runs(at), None)
        return run is not None and run.since <= at

    def next_change(self, at: datetime) -> datetime | None:
        """When it opens or closes next; None if neither happens within a year."""
        run = next(self.runs(at), None)
        if run is None:
            return None
        if at < run.since:
            return run.since
        return None if run.until == NEVER else run.until

    def opens_at(self, at: datetime) -> datetime | None:
        """When it opens next; None while it is open. If it stays closed longer, the end of the searched year."""
        run = next(self.runs(at), None)
        if run is None:
            return at + HORIZON
        return run.since if run.since > at else None

    def lasted(self, since: datetime, length: timedelta) -> datetime:
        """When it will have been open for `length` in total since `since`; within a year."""
        for run in self.runs(since):
            begins = max(since, run.since)
            if begins + length < run.until:
                return begins + length
            length -= run.until - begins
        return since + HORIZON

    def runs(self, at: datetime) -> Iterator[Run]:
        """Its open periods from `at` on for a year, beginning with the current one, if any.

        Adjacent periods are merged. One that has lasted for days may be reported as if it began a day before `at`.
        """
        if self.never_closes:
            yield Run(EVER, NEVER)
            return
        current: Run | None = None
        for run in self._runs_from(at):
            if current is not None and run.since <= current.until:
                current = Run(current.since, max(current.until, run.until))
                continue
            if current is not None and current.until > at:
                yield current
            current = run
        if current is not None and current.until > at:
            yield current._replace(until=NEVER) if current.until > at + HORIZON - DAY else current

    @cached_property
    def never_closes(self) -> bool:
        return not self.special_days and self.on_holidays in {None, ALL_DAY} and all(map(self._is_whole, range(7)))

    def spans_of(self, day: date) -> Spans:
        """Periods that begin on that day."""
        if (special := self.special_days.get(day)) is not None:
            return special
        if self.on_holidays is not None and day in self.holidays:
            return self.on_holidays
        return self._weekly(day.weekday())

    def _weekly(self, weekday: int) -> Spans:
        return self.week.get(weekday, ()) if self.week else ALL_DAY

    def _is_whole(self, weekday: int) -> bool:
        return self._weekly(weekday) == ALL_DAY

    def _runs_from(self, at: datetime) -> Iterator[Run]:
        """Opening times in chronological order, from the day before on, because its hours may still continue."""
        today = at.astimezone(self.zone).date()
        for number in range(-1, HORIZON.days + 1):
            day = today + number * DAY
            for span in sorted(self.spans_of(day)):
                run = span.on(day, self.zone)
                if run.since < run.until:
                    yield run
