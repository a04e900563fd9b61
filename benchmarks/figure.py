"""What is measured: the numbers of the performance targets, and what one measurement of them holds."""

from dataclasses import dataclass, field
from enum import StrEnum


class Better(StrEnum):
    LESS = "less"
    MORE = "more"


@dataclass(frozen=True)
class Figure:
    number: str
    title: str
    unit: str
    better: Better
    target: float
    """On this server; see docs/performance.md."""


FIGURES = {
    figure.number: figure
    for figure in (
        Figure("P1", "memory per idle, booted terminal", "KiB", Better.LESS, 24),
        Figure("P2", "reports committed and acknowledged, saturated", "per s", Better.MORE, 10_000),
        Figure("P3", "CPU of the server per report", "µs", Better.LESS, 120),
        Figure("P4", "boots", "per s", Better.MORE, 1_500),
        Figure("P5", "status change to board frame, median", "ms", Better.LESS, 150),
    )
}


@dataclass(frozen=True)
class Measured:
    """One figure of one system, and what belongs to it."""

    value: float
    details: dict[str, float] = field(default_factory=dict)


def ratio(figure: Figure, *, ours: float, theirs: float) -> float:
    """How many times better ours is."""
    return theirs / ours if figure.better is Better.LESS else ours / theirs
