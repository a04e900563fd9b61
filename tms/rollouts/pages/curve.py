"""The curve of evidence as SVG: logarithmic, with lines at 1, hold and stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log10
from typing import NamedTuple

from tms.rollouts.pages.evidence import HOLD, STOP

LEFT, TOP, BOTTOM = 34, 10, 130
LOWEST, HIGHEST = -0.5, 3.0
"""The logarithms at both ends; a curve that goes further stays there."""
MAX_POINTS = 200


class PlotLine(NamedTuple):
    look: str
    label: str
    y: float

    @property
    def text_y(self) -> float:
        return self.y + 4


@dataclass(frozen=True, slots=True)
class EvidencePlot:
    """Drawn for one width, never shrunk."""

    size: str
    width: int
    mean: str
    others: Sequence[str]
    end_x: float
    end_y: float

    left = LEFT
    height = BOTTOM + 6

    @property
    def right(self) -> int:
        return self.width - 8

    @property
    def lines(self) -> list[PlotLine]:
        looks = ((1, "grid"), (HOLD, "hold-line"), (STOP, "stop-line"))
        return [PlotLine(look, str(value), _y(value)) for value, look in looks]


@dataclass(frozen=True, slots=True)
class EvidenceCurve:
    """Evidence by time: the mean, and each measure. `since` and `until` label the axis."""

    sizes: Sequence[EvidencePlot]
    since: datetime
    until: datetime


def curve_of(
    times: Sequence[datetime], mean: Sequence[float], measures: Mapping[str, Sequence[float]]
) -> EvidenceCurve | None:
    """None before there is a line to draw. All sequences have the same length."""
    if len(times) < 2:
        return None
    step = -(-len(times) // MAX_POINTS)
    # Of every step the last point, so that the curve ends with the newest.
    chosen = list(range(len(times) - 1, -1, -step))[::-1]
    shown = [times[at] for at in chosen]
    others = [[values[at] for at in chosen] for values in measures.values()]
    main = [mean[at] for at in chosen]
    sizes = [_plot(size, width, shown, main, others) for size, width in (("wide", 760), ("phone", 346))]
    return EvidenceCurve(sizes, times[0], times[-1])


def _plot(
    size: str, width: int, times: Sequence[datetime], mean: Sequence[float], others: Sequence[Sequence[float]]
) -> EvidencePlot:
    total_s = (times[-1] - times[0]).total_seconds() or 1
    across = width - 8 - LEFT
    xs = [LEFT + across * (at - times[0]).total_seconds() / total_s for at in times]
    return EvidencePlot(size, width, _path(xs, mean), [_path(xs, values) for values in others], xs[-1], _y(mean[-1]))


def _path(xs: Sequence[float], values: Sequence[float]) -> str:
    return "M" + "L".join(f"{x:.1f} {_y(value):.1f}" for x, value in zip(xs, values, strict=True))


def _y(value: float) -> float:
    exponent = min(max(log10(value) if value > 0 else LOWEST, LOWEST), HIGHEST)
    return BOTTOM - (BOTTOM - TOP) * (exponent - LOWEST) / (HIGHEST - LOWEST)
