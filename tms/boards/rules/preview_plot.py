"""A small plot of a preview: the hourly extremes of the terminals, and the thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10
from typing import NamedTuple

from django.utils.timezone import get_default_timezone

from tms.alerts.models import Rule

WIDTH, HEIGHT = 410, 150
LEFT, RIGHT, TOP, BOTTOM = 38.0, 406.0, 8.0, 128.0

type Extreme = tuple[datetime, float, float]
"""An hour with its lowest and highest value."""


class GridLine(NamedTuple):
    """A horizontal line and its value."""

    y: float
    text: str
    severity: str = ""


@dataclass(frozen=True)
class Plot:
    traces: Sequence[str]
    """The paths of the traces."""
    grid: Sequence[GridLine]
    limits: Sequence[GridLine]
    times: Sequence[tuple[float, str, str]]
    """Position, text anchor and text."""
    width: int = WIDTH
    height: int = HEIGHT


def plot(rule: Rule, extremes: Sequence[Extreme], *, since: datetime, until: datetime) -> Plot | None:
    """The plot; None if there is nothing to draw."""
    lowest, highest = [(at, low) for at, low, _ in extremes], [(at, high) for at, _, high in extremes]
    lines = rule.kind_object.plotted(lowest, highest)
    if not lines or len(extremes) < 2:
        return None
    limits = [(limit, one["severity"]) for one in rule.thresholds for limit in _limits(one)]
    ticks = _ticks([value for line in lines for _, value in line] + [limit for limit, _ in limits])
    length = (until - since).total_seconds()

    def x(at: datetime) -> float:
        return round(LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, (at - since).total_seconds() / length)), 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - ticks[0]) / (ticks[-1] - ticks[0]), 1)

    return Plot(
        traces=["M" + "L".join(f"{x(at)} {y(value)}" for at, value in line) for line in lines],
        grid=[GridLine(y(tick), f"{tick:g}") for tick in ticks],
        limits=[GridLine(y(limit), f"{limit:g}", severity) for limit, severity in limits],
        times=_times(since, until),
    )


def _limits(threshold: dict[str, float | None]) -> list[float]:
    return [limit for limit in (threshold["limit"], threshold.get("lower_limit")) if limit is not None]


def _ticks(values: Sequence[float]) -> list[float]:
    """Three to six round numbers that enclose all values."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    unit = 10.0 ** floor(log10(span))
    step = next(unit * factor for factor in (0.5, 1, 2, 5) if span / (unit * factor) <= 4)
    first, last = floor(low / step), ceil(high / step)
    return [round(step * number, 6) for number in range(first, max(last, first + 1) + 1)]


def _times(since: datetime, until: datetime) -> list[tuple[float, str, str]]:
    zone, form = get_default_timezone(), "%H:%M" if (until - since).total_seconds() <= 90_000 else "%m-%d"
    marks = ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    return [
        (LEFT + (RIGHT - LEFT) * share, anchor, (since + (until - since) * share).astimezone(zone).strftime(form))
        for share, anchor in marks
    ]
