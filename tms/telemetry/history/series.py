"""Readings of one terminal within a period, for its chart."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils.timezone import get_default_timezone

from tms.fleet.models import Terminal, TerminalState
from tms.protocol.limits import METRIC_BOUND, METRIC_NAMES
from tms.telemetry.models import Report
from tms.telemetry.rollups import buckets, hourly
from tms.telemetry.rollups.buckets import Cut, Slices, Sum


class ChartRange(NamedTuple):
    length: timedelta
    bucket_s: int
    """Readings in one bucket are averaged. A chart has about as many buckets as pixels."""
    is_rolled: bool = False
    """Whether it is built from hourly roll-ups, with the lowest and highest value of each bucket."""


HOUR_S, DAY_S = 3_600, 86_400
NOW = timedelta(microseconds=1)
"""Added to the end of a period, so that a report of this very instant is included."""

SPANS: Mapping[str, ChartRange] = {
    "30m": ChartRange(timedelta(minutes=30), 1),
    "6h": ChartRange(timedelta(hours=6), 30),
    "7d": ChartRange(timedelta(days=7), HOUR_S, is_rolled=True),
    "30d": ChartRange(timedelta(days=30), HOUR_S, is_rolled=True),
    "1y": ChartRange(timedelta(days=365), DAY_S, is_rolled=True),
}
DEFAULT_SPAN = "30m"

type Lines = dict[str, list[float | None]]
"""The readings of each metric."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Parallel lists: one value for each instant of `at` (seconds since the epoch), None where nothing was read.

    `metrics` has the mean of each bucket. `lowest` and `highest` are empty unless the range uses roll-ups.
    """

    at: list[int]
    metrics: Lines
    late: list[int]
    lowest: Lines
    highest: Lines


class ReadingRange(NamedTuple):
    """A value, or a mean with its lowest and highest value."""

    value: float | None
    lowest: float | None = None
    highest: float | None = None


type Shown = Mapping[str, ReadingRange]
"""The range of readings of each metric."""


def readings(terminal: Terminal, span: ChartRange, *, at: datetime) -> Readings:
    since = at - span.length
    # Hours that are not rolled up yet are read from their reports.
    rolled_until = max(since, hourly.until(at)) if span.is_rolled else since
    slices = buckets.slices(terminal, rolled_until, at + NOW)
    names = _names(terminal, since, rolled_until, at + NOW, slices)
    if not span.is_rolled:
        fresh = buckets.of_reports(terminal, Cut(span.bucket_s), since, at + NOW, names, slices)
        return _columns(fresh, has_range=False)
    cut = Cut(span.bucket_s, _shift(span, at))
    rolled = buckets.of_rollups(terminal, cut, since, rolled_until, names)
    fresh = buckets.of_reports(terminal, cut, rolled_until, at + NOW, names, slices)
    return _columns(buckets.merge([*rolled, *(one._replace(late=0) for one in fresh)]), has_range=True)


def _names(
    terminal: Terminal, since: datetime, rolled_until: datetime, until: datetime, slices: Slices
) -> Collection[str] | None:
    """The metrics to show if there are too many, preferring those of the current state; None for all."""
    found = buckets.names_of_reports(terminal, rolled_until, until, slices)
    if rolled_until > since:
        found |= buckets.names_of_rollups(terminal, since, rolled_until)
    if len(found) <= METRIC_NAMES:
        return None
    current = TerminalState.objects.filter(pk=terminal.pk).values_list("metrics", flat=True).first() or {}
    return sorted(found, key=lambda name: (name not in current, name))[:METRIC_NAMES]


def newest(terminal: Terminal, span: ChartRange, *, limit: int, at: datetime) -> list[tuple[datetime, Shown]]:
    """The newest readings (or buckets, if the range uses roll-ups), newest first: the table that replaces the chart for
    screen readers.
    """
    if span.is_rolled:
        return _newest_buckets(terminal, span, limit=limit, at=at)
    rows = (
        Report.objects.filter(terminal=terminal, at__lte=at)
        .exclude(metrics={})
        .exclude(late=True, undated=True)
        .order_by("-at")
    )
    return [
        (moment, {name: ReadingRange(value) for name, value in metrics.items() if abs(value) <= METRIC_BOUND})
        for moment, metrics in rows.values_list("at", "metrics")[:limit]
    ]


def _newest_buckets(terminal: Terminal, span: ChartRange, *, limit: int, at: datetime) -> list[tuple[datetime, Shown]]:
    found = readings(terminal, span._replace(length=timedelta(seconds=span.bucket_s * limit)), at=at)
    rows: list[tuple[datetime, Shown]] = [
        (
            datetime.fromtimestamp(begin, UTC),
            {
                name: ReadingRange(mean, found.lowest[name][index], found.highest[name][index])
                for name, means in found.metrics.items()
                if (mean := means[index]) is not None
            },
        )
        for index, begin in enumerate(found.at)
    ]
    return rows[::-1][:limit]


def _shift(span: ChartRange, at: datetime) -> int:
    """Days begin at midnight in `TMS_TIME_ZONE`, with its current offset."""
    offset = get_default_timezone().utcoffset(at) if span.bucket_s == DAY_S else None
    return int(offset.total_seconds()) if offset else 0


def _columns(sums: Sequence[Sum], *, has_range: bool) -> Readings:
    at = sorted({one.begin for one in sums})
    index = {begin: position for position, begin in enumerate(at)}
    found = Readings(at, {}, [0] * len(at), {}, {})
    for one in sums:
        position = index[one.begin]
        found.late[position] |= one.late
        values = [(found.metrics, one.total / one.number)]
        if has_range:
            values += [(found.lowest, one.lowest), (found.highest, one.highest)]
        for lines, value in values:
            lines.setdefault(one.metric, [None] * len(at))[position] = round(value, 3)
    return found
