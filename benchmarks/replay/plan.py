"""The sizes of the measurement of replays."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReplayPlan:
    """`FULL`: the fleet of the requirement."""

    terminals: int = 50_000
    sites: int = 500
    unresolved: int = 500
    days: int = 365
    losses_per_day: float = 0.5
    """Losses of a terminal: each is a change to silent and one back."""
    alerts_per_day: int = 1_000
    incidents_per_day: int = 5
    moments: int = 100
    """Random instants of the year, each replayed once."""


FULL = ReplayPlan()
TINY = ReplayPlan(terminals=200, sites=4, unresolved=5, days=3, alerts_per_day=10, incidents_per_day=1, moments=3)
