"""Readings of one terminal over a span, as a chart needs them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils.timezone import get_default_timezone

from tms.fleet.models import Terminal, TerminalState
from tms.protocol.limits import METRIC_BOUND, METRIC_NAMES
from tms.telemetry.models import Report
from tms.telemetry.rollups import buckets, hourly
from tms.telemetry.rollups.buckets import Cut, Sum


class ChartRange(NamedTuple):
    length: timedelta
    bucket_s: int
    """Readings within one bucket become their mean: about as many points as a chart has pixels."""
    is_rolled: bool = False
    """Whether it is made from the hourly roll-ups, with the lowest and the highest of each bucket."""


HOUR_S, DAY_S = 3_600, 86_400
NOW = timedelta(microseconds=1)
"""What is reported this very moment is within a span that ends now."""

SPANS: Mapping[str, ChartRange] = {
    "30m": ChartRange(timedelta(minutes=30), 1),
    "6h": ChartRange(timedelta(hours=6), 30),
    "7d": ChartRange(timedelta(days=7), HOUR_S, is_rolled=True),
    "30d": ChartRange(timedelta(days=30), HOUR_S, is_rolled=True),
    "1y": ChartRange(timedelta(days=365), DAY_S, is_rolled=True),
}
DEFAULT_SPAN = "30m"

type Lines = dict[str, list[float | None]]
"""By metric."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Each list has one value for each of `at` (seconds since the epoch); None where nothing was read.

    `metrics` are means of the bucket. `lowest` and `highest` are there for spans that are rolled up, else empty.
    """

    at: list[int]
    metrics: Lines
    late: list[int]
    lowest: Lines
    highest: Lines


class ReadingRange(NamedTuple):
    """A value, or a mean with the lowest and the highest around it."""

    value: float | None
    lowest: float | None = None
    highest: float | None = None


type Shown = Mapping[str, ReadingRange]
"""By metric."""


def readings(terminal: Terminal, span: ChartRange, *, at: datetime) -> Readings:
    since = at - span.length
    # Hours that are not rolled up yet are read from their reports.
    rolled_until = max(since, hourly.until(at)) if span.is_rolled else since
    names = _names(terminal, since, rolled_until, at + NOW)
    if not span.is_rolled:
        fresh = buckets.of_reports(terminal, Cut(span.bucket_s), since, at + NOW, names)
        return _columns(fresh, has_range=False)
    cut = Cut(span.bucket_s, _shift(span, at))
    rolled = buckets.of_rollups(terminal, cut, since, rolled_until, names)
    fresh = buckets.of_reports(terminal, cut, rolled_until, at + NOW, names)
    return _columns(buckets.merged([*rolled, *(one._replace(late=0) for one in fresh)]), has_range=True)


def _names(terminal: Terminal, since: datetime, rolled_until: datetime, until: datetime) -> Collection[str] | None:
    """Those of the metrics that are told, where there are too many to tell all; before others those of the state."""
    found = buckets.names_of_reports(terminal, rolled_until, until)
    if rolled_until > since:
        found |= buckets.names_of_rollups(terminal, since, rolled_until)
    if len(found) <= METRIC_NAMES:
        return None
    current = TerminalState.objects.filter(pk=terminal.pk).values_list("metrics", flat=True).first() or {}
    return sorted(found, key=lambda name: (name not in current, name))[:METRIC_NAMES]


def newest(terminal: Terminal, span: ChartRange, *, limit: int, at: datetime) -> list[tuple[datetime, Shown]]:
    """The newest readings, or the newest buckets of a span that is rolled up, newest first.

    It is what a chart says to whoever cannot see it.
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
    told: list[tuple[datetime, Shown]] = [
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
    return told[::-1][:limit]


def _shift(span: ChartRange, at: datetime) -> int:
    """Days begin at midnight of `TMS_TIME_ZONE`, as it is now."""
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
