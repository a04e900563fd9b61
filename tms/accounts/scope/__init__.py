"""Scopes: the part of the fleet that a grant covers, and how rows of a model belong to one."""

from tms.accounts.scope.paths import (
    ByDevice,
    ByGrants,
    ByGroup,
    ByOwner,
    ByRegion,
    BySite,
    BySiteOrRegion,
    ByTerminal,
    ScopePath,
    Through,
)
from tms.accounts.scope.value import EVERYTHING, NOTHING, Scope

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "ByDevice",
    "ByGrants",
    "ByGroup",
    "ByOwner",
    "ByRegion",
    "BySite",
    "BySiteOrRegion",
    "ByTerminal",
    "Scope",
    "ScopePath",
    "Through",
]
