from dataclasses import dataclass


@dataclass(frozen=True)
class PaintPlan:
    rows: int = 300
    """On a page of terminals or alerts."""
    changes: int = 100
    every_s: float = 0.25
    settle_s: float = 3.0
    """From the first frame of a board to its first change."""
    patience_s: float = 60.0


TINY = PaintPlan(rows=12, changes=3, settle_s=0.5)
"""To check that everything works; its figures mean nothing."""
