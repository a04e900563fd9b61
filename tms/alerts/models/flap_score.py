"""The flap score: the share of changes within a window, as Nagios and Icinga calculate it.

They take the last 20 results of a check and weigh newer changes more. TMS has instants instead of checks: a change
weighs `NEWEST` when it just happened and `OLDEST` a window later, and `FULL` changes are the maximum. Instants and
durations are in seconds.
"""

from collections.abc import Sequence

FULL = 20
NEWEST, OLDEST = 1.2, 0.8


def flap_score(changes: Sequence[float], *, at: float, window_s: float) -> float:
    """The score, from 0 (no change) to 1."""
    ages = [max(0.0, at - change) for change in changes]
    weights = [NEWEST - (NEWEST - OLDEST) * age / window_s for age in ages if age < window_s]
    return min(1.0, sum(weights) / FULL)


def stable_from(changes: Sequence[float], *, low: float, window_s: float) -> float:
    """When the score will have fallen to `low` without further changes.

    It falls linearly while the same changes are in the window, and abruptly when one leaves it.
    """
    newest_first = sorted(changes, reverse=True)[:FULL]
    for left in range(len(newest_first), 0, -1):
        within = newest_first[:left]
        dropped = newest_first[left] + window_s if left < len(newest_first) else newest_first[0]
        spare = NEWEST * left - low * FULL
        faded = (sum(within) + window_s * spare / (NEWEST - OLDEST)) / left
        if (stable := max(newest_first[0], dropped, faded)) < within[-1] + window_s:
            return stable
    return newest_first[0] + window_s
