"""The range around the instant of a replay: what its slider covers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from tms.boards.replay.chosen import ChosenInstant
from tms.lib.calendar.local_time import instant, local_time

BUCKETS = {"1h": 60, "8h": 96, "24h": 144, "7d": 168, "30d": 180, "1y": 365}
"""Bars of the strip: a minute, five or ten minutes, an hour, four hours, a day."""
TICKS = {"1h": 6, "8h": 8, "24h": 8, "7d": 7, "30d": 6, "1y": 5}


class Tick(NamedTuple):
    """One label of the axis; they are equally distant."""

    at: datetime
    is_minor: bool
    """Left out on a phone."""


class ReplayWindow(NamedTuple):
    since: datetime
    until: datetime
    limit: datetime
    """The present, if it is within: nothing later can be shown."""
    buckets: int

    @property
    def length_s(self) -> int:
        return int((self.until - self.since).total_seconds())

    @property
    def bucket_s(self) -> float:
        return self.length_s / self.buckets

    def offset_s(self, at: datetime) -> int:
        return int((at - self.since).total_seconds())

    def share(self, at: datetime) -> float:
        """Its position, from 0 to 1."""
        return min(1.0, max(0.0, (at - self.since) / (self.until - self.since)))


def window_of(chosen: ChosenInstant, *, now: datetime) -> ReplayWindow:
    """A whole hour, a third of a day, a day, or several days, by the reader's clocks. It stays while the instant moves
    within it: ranges of several days are counted back from today.
    """
    since = _begin(chosen, now)
    until = _end(chosen, since)
    return ReplayWindow(since, until, min(now, until), BUCKETS[chosen.range])


def ticks(window: ReplayWindow, chosen: ChosenInstant) -> Iterator[Tick]:
    number = TICKS[chosen.range]
    step = (window.until - window.since) / number
    for index in range(number + 1):
        yield Tick(window.since + index * step, is_minor=index % 2 == 1)


def _begin(chosen: ChosenInstant, now: datetime) -> datetime:
    local = timezone.localtime(chosen.at).replace(minute=0, second=0, microsecond=0)
    if chosen.range == "1h":
        # An offset of half an hour: the hour of the clocks, not that of UTC.
        return local.astimezone(UTC)
    if chosen.range == "8h":
        return _instant(local, hour=local.hour // 8 * 8)
    ranges_back = (timezone.localdate(now) - local.date()).days // chosen.days
    last_day = timezone.localtime(now) - timedelta(days=ranges_back * chosen.days)
    return _instant(last_day.replace(minute=0, second=0, microsecond=0) - timedelta(days=chosen.days - 1), hour=0)


def _end(chosen: ChosenInstant, since: datetime) -> datetime:
    """The end of the range by the clocks: a day with a change of them has 23 or 25 hours."""
    if chosen.range == "1h":
        return since + chosen.length
    zone = timezone.get_current_timezone()
    return instant(local_time(since, zone) + chosen.length, zone)


def _instant(local: datetime, *, hour: int) -> datetime:
    zone = timezone.get_current_timezone()
    return instant(local.replace(hour=hour, tzinfo=None), zone)
