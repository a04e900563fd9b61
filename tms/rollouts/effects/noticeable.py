"""The smallest effect that a wave can notice: what evidence it would gather on average, less one bad day in five."""

from collections.abc import Callable, Iterable, Sequence
from math import erf, log, sqrt
from typing import NamedTuple

from tms.rollouts.effects.betting import LEANS, RATIOS
from tms.rollouts.effects.decision import LEAST_TERMINALS, STOP
from tms.rollouts.effects.strata import EPISODE_HOURS, WINDOW_HOURS

UNLUCKY = 0.84
"""Standard deviations below the mean that one in five of such waves lies."""
HIGHEST_RATIO = 100.0
STEPS = 40


class Beside(NamedTuple):
    """How many updated and waiting terminals of one model are beside each other at a site."""

    updated: int
    waiting: int


def smallest_ratio(strata: Sequence[Beside], *, rate: float, days: float, measures: int) -> float | None:
    """How many times as many hits as `rate` a day a wave notices within `days`; None if not even a hundred times."""
    own = _merged(stratum for stratum in strata if stratum.updated and stratum.waiting)
    return _smallest(lambda ratio: _notices_ratio(own, rate, days, measures, ratio), 1.0, HIGHEST_RATIO)


def _merged(strata: Iterable[Beside]) -> list[Beside]:
    """Strata with one updated share add up: of thousands, few are left."""
    merged: dict[float, Beside] = {}
    for stratum in strata:
        share = stratum.updated / (stratum.updated + stratum.waiting)
        before = merged.get(share, Beside(0, 0))
        merged[share] = Beside(before.updated + stratum.updated, before.waiting + stratum.waiting)
    return list(merged.values())


def smallest_slope(strata: Sequence[Beside], *, noise: float, days: float, measures: int) -> float | None:
    """How much more a reading has to rise an hour; `noise`: the standard deviation of its change in a window."""
    own = [stratum for stratum in strata if stratum.updated and stratum.waiting]
    highest = 10 * noise / WINDOW_HOURS
    return _smallest(lambda slope: _notices_slope(own, noise, days, measures, slope), 0.0, highest)


def _smallest(notices: Callable[[float], bool], low: float, high: float) -> float | None:
    if not notices(high):
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if notices(middle) else (middle, high)
    return high


def _notices_ratio(strata: Sequence[Beside], rate: float, days: float, measures: int, ratio: float) -> bool:
    updated = sum(stratum.updated for stratum in strata)
    hits = updated * _hits(ratio * rate, days)
    if min(hits - UNLUCKY * sqrt(hits), updated) < LEAST_TERMINALS:
        return False
    return any(_gain(strata, rate, days, ratio, bet) >= log(STOP * len(RATIOS) * measures) for bet in RATIOS)


def _hits(rate: float, days: float) -> float:
    """Hits of one terminal: after each it is quiet for a while."""
    return rate * days / (1 + rate * EPISODE_HOURS / 24)


def _gain(strata: Sequence[Beside], rate: float, days: float, ratio: float, bet: float) -> float:
    """The logarithm of one bet after an unlucky wave."""
    mean = variance = 0.0
    for updated, waiting in strata:
        share = updated / (updated + waiting)
        loss = log(bet * share + 1 - share)
        hits, others = updated * _hits(ratio * rate, days), waiting * _hits(rate, days)
        mean += hits * (log(bet) - loss) - others * loss
        variance += hits * (log(bet) - loss) ** 2 + others * loss**2
    return mean - UNLUCKY * sqrt(variance)


def _notices_slope(strata: Sequence[Beside], noise: float, days: float, measures: int, slope: float) -> bool:
    # The mean sign of a difference of two normal changes; both have the noise.
    lean = erf(slope * WINDOW_HOURS / (2 * noise))
    windows = days * 24 / WINDOW_HOURS
    if sum(stratum.updated for stratum in strata) < LEAST_TERMINALS:
        return False
    return any(_slope_gain(strata, windows, lean, bet) >= log(STOP * len(LEANS) * measures) for bet in LEANS)


def _slope_gain(strata: Sequence[Beside], windows: float, lean: float, bet: float) -> float:
    mean = variance = 0.0
    for updated, waiting in strata:
        # Signs of one terminal against several agree by a third; the more terminals, the less the mean of them varies.
        spread = (1 - lean**2) * (1 / 3 + 2 / 3 / waiting) / updated + (1 - lean**2) / 3 / waiting
        mean += windows * (log(1 + bet * lean) - bet**2 * min(spread, 1.0) / 2 / (1 + bet * lean) ** 2)
        variance += windows * bet**2 * spread / (1 + bet * lean) ** 2
    return mean - UNLUCKY * sqrt(variance)
