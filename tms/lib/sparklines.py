"""Paths of small step charts, in a box of 120 by 24 that is stretched to its tile."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 120, 24
TOP, BOTTOM = 3.0, 22.0


class Spark(NamedTuple):
    line: str
    under: str


FLAT = Spark(f"M0 {BOTTOM:.0f}H{WIDTH}", "")


def spark(values: Sequence[int]) -> Spark:
    """A step chart, scaled to its own range: it shows the trend, not the magnitude."""
    low, high = min(values, default=0), max(values, default=0)
    if low == high:
        return FLAT
    width = WIDTH / (len(values) - 1)
    heights = [BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP) for value in values]
    line = f"M0 {heights[0]:.1f}"
    for index in range(1, len(heights)):
        if heights[index] != heights[index - 1]:
            line += f"H{index * width:.1f}V{heights[index]:.1f}"
    line += f"H{WIDTH}"
    return Spark(line, f"{line}V{HEIGHT}H0Z")
