from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How much of everything. Every system under test gets the same, save where a figure says so."""

    fleet: int = 5_000
    """Terminals that dial in and stay idle."""
    reporting: int = 2_000
    """Terminals that report."""
    boards: int = 20
    processes: int = 2
    """That hold terminals; one more holds the boards."""
    dials_at_once: int = 128
    warm_up_s: float = 5
    measured_s: float = 15
    settle_s: float = 5
    window: int = 2
    """Unacknowledged reports of each terminal when the server is saturated."""
    steady_per_second: float = 1_000
    watched_per_second: float = 200
    change_every_s: float = 0.5
    watched_s: float = 30
    patience_s: float = 5


FULL = Plan()
TINY = Plan(
    fleet=20,
    reporting=10,
    boards=2,
    processes=1,
    dials_at_once=4,
    warm_up_s=0.2,
    measured_s=0.5,
    settle_s=0.1,
    steady_per_second=20,
    watched_per_second=20,
    change_every_s=0.2,
    watched_s=1,
)
"""For a look whether everything still works; its figures mean nothing."""
