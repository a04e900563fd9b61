"""How the SLO was met over a range: ratios, percentiles, and a bar per interval."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from django.db.models import Sum

from tms.metrics.slo import Indicator, SloOutcome, target_s
from tms.ops.models import SloSample
from tms.ops.slo.recorder import slot

SPANS = MappingProxyType(
    {
        "1h": (timedelta(hours=1), timedelta(minutes=10)),
        "24h": (timedelta(hours=24), timedelta(hours=1)),
        "30d": (timedelta(days=30), timedelta(days=1)),
    }
)
"""The length of each range, and the interval of its bars."""
DEFAULT = "24h"
TARGET_SHARE = 0.99
"""The share of each indicator that must stay within its target."""


class Bar(NamedTuple):
    since: datetime
    met: int
    missed: int

    @property
    def share(self) -> float | None:
        return self.met / number if (number := self.met + self.missed) else None


@dataclass(slots=True)
class SloCounts:
    """Counts of one indicator over one range."""

    met: int = 0
    missed: int = 0
    buckets: dict[float, int] = field(default_factory=dict)

    def add(self, outcome: str, bound_s: float, number: int) -> None:
        self.buckets[bound_s] = self.buckets.get(bound_s, 0) + number
        if outcome == SloOutcome.MET:
            self.met += number
        else:
            self.missed += number

    @property
    def number(self) -> int:
        return self.met + self.missed

    @property
    def share(self) -> float | None:
        return self.met / self.number if self.number else None

    @property
    def is_missed(self) -> bool:
        return self.share is not None and self.share < TARGET_SHARE

    def within_s(self, share: float) -> float | None:
        """The time within which this share lies: the upper bound of its bucket, so never better than it was."""
        reached = 0
        for bound, number in sorted(self.buckets.items()):
            reached += number
            if reached >= share * self.number:
                return bound
        return None


class SloReport(NamedTuple):
    indicator: Indicator
    target_s: float
    ratios: Mapping[str, SloCounts]
    """Ratios by range."""
    chosen: SloCounts
    bars: Sequence[Bar]


type Row = tuple[str, str, datetime, float, int]


def slo_report(span: str, *, at: datetime) -> list[SloReport]:
    """All indicators in chronological order of their stages. One query."""
    longest = max(length for length, _ in SPANS.values())
    rows = SloSample.objects.filter(since__gte=at - longest).values_list("indicator", "outcome", "since", "bound_s")
    read: list[Row] = list(rows.annotate(total=Sum("number")))
    by_stage: dict[str, list[Row]] = {}
    for row in read:
        by_stage.setdefault(row[0], []).append(row)
    return [_report(indicator, by_stage.get(indicator, []), span, at) for indicator in Indicator]


def _report(indicator: Indicator, rows: Sequence[Row], span: str, at: datetime) -> SloReport:
    ratios = {name: _count(rows, since=at - length) for name, (length, _) in SPANS.items()}
    return SloReport(indicator, target_s(indicator), ratios, ratios[span], _bars(rows, *SPANS[span], at=at))


def _count(rows: Iterable[Row], *, since: datetime) -> SloCounts:
    counts = SloCounts()
    for _, outcome, at, bound_s, number in rows:
        if at >= slot(since):
            counts.add(outcome, bound_s, number)
    return counts


def _bars(rows: Iterable[Row], length: timedelta, step: timedelta, *, at: datetime) -> list[Bar]:
    """The last interval ends with the current slot."""
    end = slot(at) + timedelta(minutes=10)
    begins = [end - step * (n + 1) for n in range(int(length / step))][::-1]
    counts = [[0, 0] for _ in begins]
    for _, outcome, since, _, number in rows:
        if begins[0] <= since < end:
            counts[int((since - begins[0]) / step)][outcome != SloOutcome.MET] += number
    return [Bar(since, *pair) for since, pair in zip(begins, counts, strict=True)]
