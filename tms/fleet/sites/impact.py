"""Impact: how much an alert disturbs a site. Pure.

A terminal works while it is online and has no unresolved critical alert. The order is: terminals of whose kind none
works at the site, then few; terminals that still work; closed sites.
"""

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from tms.lib.severity import Severity


class ImpactLevel(IntEnum):
    """Levels of impact, worst first."""

    WHOLE = 0
    """No terminal of its kind works at an open site."""
    PART = 1
    """It does not work; others of its kind do."""
    NONE = 2
    """The terminal still works."""
    CLOSED = 3
    """The site is closed."""


class PeerGroup(NamedTuple):
    """The terminals of one kind at one site."""

    working: int
    total: int

    @property
    def share(self) -> int:
        """The share of terminals that work, in thousandths."""
        return 1000 * self.working // self.total if self.total else 0


class Weight(NamedTuple):
    """Sorts by impact, highest first."""

    level: ImpactLevel
    share: int
    """Working terminals of its kind at its site, in thousandths: the fewer, the higher the impact."""


def score(severity: str, peers: PeerGroup, *, is_closed: bool) -> Weight:
    if is_closed:
        return Weight(ImpactLevel.CLOSED, 0)
    if severity != Severity.CRITICAL:
        return Weight(ImpactLevel.NONE, 0)
    return Weight(ImpactLevel.PART if peers.working else ImpactLevel.WHOLE, peers.share)


class ImpactReason(NamedTuple):
    """The reason for a row's position in the order."""

    level: str
    kind: str
    working: int
    total: int
    changes_at: datetime | None
    """When the site opens or closes next."""
