"""Strata: terminals of one model at one site in one hour. Only within a stratum is anything compared."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from tms.rollouts.effects.rates import NOT_BACK

EPISODE_HOURS = 8
"""A terminal that was hit within these hours is neither hit again nor expected to be: one bad day is one hit."""
WINDOW_HOURS = 3
"""Readings are compared by how much they changed within these hours."""


class StratumMember(NamedTuple):
    """A terminal that was comparable in an hour."""

    terminal: int
    stratum: str
    """Its model, and the other rollouts that reached it."""
    is_updated: bool
    """Its settle time is over. Otherwise it still waits."""
    days: float = 1 / 24
    """How long, within the hour."""


class Counts(NamedTuple):
    """What is counted of one measure in one stratum."""

    updated_hit: tuple[int, ...] = ()
    waiting_hit: int = 0
    updated: float = 0.0
    """How many updated terminals were expected to be hit."""
    waiting: float = 0.0

    @property
    def hits(self) -> int:
        return len(self.updated_hit) + self.waiting_hit

    @property
    def share(self) -> float:
        """The updated share of the terminals hit."""
        return len(self.updated_hit) / self.hits

    @property
    def expected(self) -> float:
        """The mean of `share` while nothing is wrong."""
        return self.updated / (self.updated + self.waiting)


class Exposure(NamedTuple):
    """The days for which updated and waiting terminals of a stratum were beside each other."""

    updated_days: float = 0.0
    waiting_days: float = 0.0


def exposures(members: Iterable[StratumMember]) -> list[Exposure]:
    """The exposure of each model that has both updated and waiting terminals."""
    days: dict[str, list[float]] = {}
    for member in members:
        days.setdefault(member.stratum, [0.0, 0.0])[not member.is_updated] += member.days
    return [Exposure(updated, waiting) for updated, waiting in days.values() if updated and waiting]


def sizes(members: Iterable[StratumMember]) -> dict[str, list[int]]:
    """How many were updated, and how many waited, of each model."""
    numbers: dict[str, list[int]] = {}
    for member in members:
        numbers.setdefault(member.stratum, [0, 0])[not member.is_updated] += 1
    return numbers


def count(
    members: Iterable[StratumMember], hit: Collection[int], quiet: Collection[int], rates: Mapping[int, float]
) -> list[Counts]:
    """Count the hits of one measure at one site in one hour, for each model with hits and both kinds of terminals.

    `quiet`: the terminals that were hit within the `EPISODE_HOURS` before; `rates`: expected hits of each a day.
    """
    strata: dict[str, list[StratumMember]] = {}
    for member in members:
        if member.terminal not in quiet:
            strata.setdefault(member.stratum, []).append(member)
    found = (_count(stratum, hit, rates) for stratum in strata.values())
    return [counts for counts in found if counts.hits and counts.updated and counts.waiting]


def _count(members: Sequence[StratumMember], hit: Collection[int], rates: Mapping[int, float]) -> Counts:
    updated = [member for member in members if member.is_updated]
    waiting = [member for member in members if not member.is_updated]
    return Counts(
        tuple(member.terminal for member in updated if member.terminal in hit),
        sum(member.terminal in hit for member in waiting),
        sum(member.days * rates[member.terminal] for member in updated),
        sum(member.days * rates[member.terminal] for member in waiting),
    )


def count_returns(back: int, missing: Sequence[int], expected: float = NOT_BACK) -> Counts:
    """Count the updated terminals of a site that should have come back in an hour; those that did are the others."""
    due = back + len(missing)
    return Counts(tuple(missing), back, due * expected, due * (1 - expected))
