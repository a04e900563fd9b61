"""How much an alert stands in the way of business: the order in which a shop would want its alerts looked at. Pure.

A terminal works while it is online and nothing critical stands against it. What nothing of its kind works for any more
comes first, then what few others work for, then what still works, and last whatever is closed.
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
    """Nobody is there to miss it."""


class PeerGroup(NamedTuple):
    """The terminals of one kind at one site."""

    working: int
    total: int

    @property
    def share(self) -> int:
        """Of a thousand."""
        return 1000 * self.working // self.total if self.total else 0


class Weight(NamedTuple):
    """Sorts before what is less in the way."""

    standstill: ImpactLevel
    share: int
    """Of a thousand of its kind that work at its site: the fewer, the sooner."""


def score(severity: str, crew: PeerGroup, *, is_closed: bool) -> Weight:
    if is_closed:
        return Weight(ImpactLevel.CLOSED, 0)
    if severity != Severity.CRITICAL:
        return Weight(ImpactLevel.NONE, 0)
    return Weight(ImpactLevel.PART if crew.working else ImpactLevel.WHOLE, crew.share)


class ImpactReason(NamedTuple):
    """What a row says of its place in the order."""

    standstill: str
    kind: str
    working: int
    total: int
    changes_at: datetime | None
    """When the site opens or closes next."""
