"""The sizes of the measurement of painting."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PaintPlan:
    rows: int = 300
    """The number of rows on a page of terminals or alerts."""
    changes: int = 100
    every_s: float = 0.25
    settle_s: float = 3.0
    """The time from the first frame of a board to its first change."""
    patience_s: float = 60.0


TINY = PaintPlan(rows=12, changes=3, settle_s=0.5)
"""A plan to check that everything works; its figures mean nothing."""
