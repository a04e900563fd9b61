"""The sizes and durations of the soak."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SoakPlan:
    terminals: int = 5_000
    minutes: float = 30
    warm_up: float = 1 / 3
    """The share of it in which caches fill and the allocator settles; not counted."""
    nodes: int = 2
    processes: int = 2
    """Processes of the load."""
    boards: int = 20
    breaks_per_second: float = 20
    """Each terminal reconnects about every four minutes."""
    report_every_s: float = 30
    look_every_s: float = 5
    """Interval at which memory is read and pages are requested."""
    dials_at_once: int = 256
    return_patience_s: float = 120
    """How long to wait at the end for terminals whose links broke."""


TINY = SoakPlan(
    terminals=10,
    minutes=0.05,
    processes=1,
    boards=2,
    breaks_per_second=5,
    report_every_s=1,
    look_every_s=0.3,
    dials_at_once=4,
)
"""A plan to check that it works; its figures mean nothing."""
