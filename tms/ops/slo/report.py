"""How the objective was kept over a span: shares, percentiles, and a bar for each step of time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from django.db.models import Sum

from tms.metrics.slo import Indicator, SloOutcome, target_s
from tms.ops.models import Promise
from tms.ops.slo.recorder import slot

SPANS = MappingProxyType(
    {
        "1h": (timedelta(hours=1), timedelta(minutes=10)),
        "24h": (timedelta(hours=24), timedelta(hours=1)),
        "30d": (timedelta(days=30), timedelta(days=1)),
    }
)
"""Of each how long it is, and the step of its bars."""
USUAL = "24h"
GOAL = 0.99
"""So large a share of each stage is promised to keep within its seconds."""


class Bar(NamedTuple):
    since: datetime
    kept: int
    missed: int

    @property
    def share(self) -> float | None:
        return self.kept / number if (number := self.kept + self.missed) else None


@dataclass(slots=True)
class SloCounts:
    """Of one stage over one span."""

    kept: int = 0
    missed: int = 0
    buckets: dict[float, int] = field(default_factory=dict)

    def add(self, outcome: str, bound_s: float, number: int) -> None:
        self.buckets[bound_s] = self.buckets.get(bound_s, 0) + number
        if outcome == SloOutcome.KEPT:
            self.kept += number
        else:
            self.missed += number

    @property
    def number(self) -> int:
        return self.kept + self.missed

    @property
    def share(self) -> float | None:
        return self.kept / self.number if self.number else None

    @property
    def is_missed(self) -> bool:
        return self.share is not None and self.share < GOAL

    def within_s(self, share: float) -> float | None:
        """What so large a share kept: the upper bound of its bucket, so that it is never better than it was."""
        reached = 0
        for bound, number in sorted(self.buckets.items()):
            reached += number
            if reached >= share * self.number:
                return bound
        return None


class SloReport(NamedTuple):
    stage: Indicator
    promised_s: float
    shares: Mapping[str, SloCounts]
    """By span."""
    chosen: SloCounts
    bars: Sequence[Bar]


type Row = tuple[str, str, datetime, float, int]


def slo_report(span: str, *, at: datetime) -> list[SloReport]:
    """Every stage, in the order in which they follow each other. One query."""
    longest = max(length for length, _ in SPANS.values())
    rows = Promise.objects.filter(since__gte=at - longest).values_list("stage", "outcome", "since", "bound_s")
    read: list[Row] = list(rows.annotate(total=Sum("number")))
    by_stage: dict[str, list[Row]] = {}
    for row in read:
        by_stage.setdefault(row[0], []).append(row)
    return [_kept(stage, by_stage.get(stage, []), span, at) for stage in Indicator]


def _kept(stage: Indicator, rows: Sequence[Row], span: str, at: datetime) -> SloReport:
    shares = {name: _tally(rows, since=at - length) for name, (length, _) in SPANS.items()}
    return SloReport(stage, target_s(stage), shares, shares[span], _bars(rows, *SPANS[span], at=at))


def _tally(rows: Iterable[Row], *, since: datetime) -> SloCounts:
    tally = SloCounts()
    for _, outcome, at, bound_s, number in rows:
        if at >= slot(since):
            tally.add(outcome, bound_s, number)
    return tally


def _bars(rows: Iterable[Row], length: timedelta, step: timedelta, *, at: datetime) -> list[Bar]:
    """The last one ends with the slot that is running."""
    end = slot(at) + timedelta(minutes=10)
    begins = [end - step * (n + 1) for n in range(int(length / step))][::-1]
    counts = [[0, 0] for _ in begins]
    for _, outcome, since, _, number in rows:
        if begins[0] <= since < end:
            counts[int((since - begins[0]) / step)][outcome != SloOutcome.KEPT] += number
    return [Bar(since, *pair) for since, pair in zip(begins, counts, strict=True)]
