"""Impact: how much an alert disturbs a site. Alerts are listed in this order. Pure.

A terminal works while it is online and has no unresolved critical alert. First come alerts of terminals of whose kind
none works at the site any more, then those of which few work, then terminals that still work, and last closed sites.
"""

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from tms.lib.severity import Severity


class ImpactLevel(IntEnum):
    """In order: the first is the worst."""

    WHOLE = 0
    """Nothing of its kind works at an open site."""
    PART = 1
    """It does not work; others of its kind do."""
    NONE = 2
    """It works still."""
    CLOSED = 3
    """The site is closed."""


class PeerGroup(NamedTuple):
    """The terminals of one kind at one site."""

    working: int
    total: int

    @property
    def share(self) -> int:
        """Of a thousand."""
        return 1000 * self.working // self.total if self.total else 0


class Weight(NamedTuple):
    """Sorts by impact, the highest first."""

    level: ImpactLevel
    share: int
    """Of a thousand of its kind that work at its site: the fewer, the sooner."""


def score(severity: str, peers: PeerGroup, *, is_closed: bool) -> Weight:
    if is_closed:
        return Weight(ImpactLevel.CLOSED, 0)
    if severity != Severity.CRITICAL:
        return Weight(ImpactLevel.NONE, 0)
    return Weight(ImpactLevel.PART if peers.working else ImpactLevel.WHOLE, peers.share)


class ImpactReason(NamedTuple):
    """Why a row stands where it does in the order."""

    level: str
    kind: str
    working: int
    total: int
    changes_at: datetime | None
    """When the site opens or closes next."""
