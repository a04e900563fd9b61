"""The sizes of the measurement of a migration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MigrationPlan:
    terminals: int = 50_000
    sites: int = 500
    unresolved: int = 500
    days: int = 365
    losses_per_day: float = 0.2
    """The age of a terminal's history. A migration of the history takes a time that grows with it."""
    alerts_per_day: int = 1_000
    incidents_per_day: int = 5
    reporting: int = 300
    """Terminals that are connected to the release before, and report once a second."""
    settle_s: float = 10.0
    """The time of load before and after the migration."""


FULL = MigrationPlan()
TINY = MigrationPlan(200, 4, 5, days=3, alerts_per_day=10, incidents_per_day=1, reporting=10, settle_s=1.0)

LONGEST_S = 60.0
LONGEST_LOCK_S = 1.0
LONGEST_WAIT_S = 2.0
"""What the measurement demands of a fleet of `FULL`."""
