"""Bets against "nothing is wrong". Each of them has a mean of at most 1 while that is true."""

from collections.abc import Iterable, Sequence
from math import exp, log, log1p

RATIOS = (1.6, 2.5, 4.0, 8.0, 16.0)
"""How many times as often updated terminals may be hit. One bet each, because nobody knows the right one before."""
LEANS = (0.2, 0.4, 0.6, 0.8)
"""How much is bet on the readings of updated terminals being higher."""


def bet_on_hits(share: float, expected: float) -> tuple[float, ...]:
    """The logarithm of what each ratio multiplies the evidence by.

    `share`: the updated share of the terminals hit in a stratum; `expected`: its mean while nothing is wrong. The bet
    is linear in `share`, so that a shock of the whole site, which hits both alike, adds nothing.
    """
    if not 0 < expected < 1:
        return (0.0,) * len(RATIOS)
    return tuple(log((share * ratio + 1 - share) / (ratio * expected + 1 - expected)) for ratio in RATIOS)


def bet_on_readings(lean: float) -> tuple[float, ...]:
    """The logarithm of what each bet multiplies the evidence by. `lean`: the mean sign of updated minus waiting."""
    return tuple(log1p(size * lean) for size in LEANS)


def mean_of_logs(logs: Sequence[float]) -> float:
    """The logarithm of the mean of numbers, of which these are the logarithms."""
    highest = max(logs)
    return highest + log(sum(exp(value - highest) for value in logs) / len(logs))


def mean_leans(updated: Sequence[float], waiting: Sequence[float]) -> list[float]:
    """How much of the waiting ones each updated terminal is above, from -1 (all are higher) to 1."""
    return [_lean(value, waiting) for value in updated]


def _lean(value: float, others: Iterable[float]) -> float:
    signs = [(value > other) - (value < other) for other in others]
    return sum(signs) / len(signs)
