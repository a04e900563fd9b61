"""When a rollout holds and stops."""

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

ALPHA = 0.01
"""The share of harmless rollouts that effects stop is at most this."""
STOP = 1 / ALPHA
HOLD = 10.0
LEAST_TERMINALS = 3
"""A rollout is not stopped for fewer updated terminals."""
LEAST_RATIO = 1.25
"""How many times the expected hits there must be: below that an effect is certain, but too small to matter."""
FAILED_PCT, FAILED_AFTER = 5, 10
"""The plain threshold of a rollout that chooses none: a percentage of so many installations that ended."""
LEAST_FAILURES = 3
"""One of 20 installations is 5 percent, and no reason to stop: every seventh harmless rollout has it."""


class Action(StrEnum):
    GO_ON = "go_on"
    HOLD = "hold"
    STOP = "stop"


class Standing(NamedTuple):
    """Where one measure stands."""

    evidence: float = 1.0
    terminals: int = 0
    """Updated terminals that were hit."""
    hits: float = 0.0
    expected: float = 0.0

    @property
    def may_stop(self) -> bool:
        return self.evidence >= HOLD and self.terminals >= LEAST_TERMINALS and self.hits >= LEAST_RATIO * self.expected


def mean_evidence(standings: Collection[Standing]) -> float:
    """1 without measures. The measures need not be independent of each other for this."""
    return sum(standing.evidence for standing in standings) / len(standings) if standings else 1.0


def decide(standings: Collection[Standing]) -> Action:
    evidence = mean_evidence(standings)
    if evidence >= STOP and any(standing.may_stop for standing in standings):
        return Action.STOP
    return Action.HOLD if evidence >= HOLD else Action.GO_ON


def has_failed(*, ended: int, failed: int, percent: float, at_least: int) -> bool:
    """Whether more than `percent` of the installations failed, of `at_least` that ended. 0 percent: never asked."""
    return percent > 0 and ended >= at_least and failed >= LEAST_FAILURES and failed * 100 > percent * ended


def is_enough(*, compared_days: float, wanted_days: float, smallest: float | None) -> bool:
    """Whether a wave may count as good, rather than as not enough evidence.

    `compared_days`: terminal-days for which its terminals were beside waiting ones; `smallest`: how many times as many
    restarts it could have noticed, None for no number.
    """
    return compared_days >= ENOUGH_SHARE * wanted_days and smallest is not None and smallest <= ENOUGH_RATIO


ENOUGH_SHARE = 0.8
"""The share of its terminal-days that a wave has to be compared for: sites close, terminals are replaced."""
ENOUGH_RATIO = 10.0
"""A wave that notices no ten times as many restarts shows nothing."""
