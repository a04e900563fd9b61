"""The smallest effects that the waves of a new rollout can notice, before it starts."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.fleet.models.outage import Outage
from tms.rollouts.effects import noticeable
from tms.rollouts.effects.noticeable import Beside
from tms.rollouts.effects.rates import HISTORY_DAYS, LOWEST_MEAN
from tms.rollouts.waves.drawing import WaveTarget

LASTING_FAULTS = 0.004
"""Lasting faults of a terminal a day, as a guess."""
MEMORY_NOISE = 0.5
"""Percentage points by which the memory of a terminal changes within three hours."""


class SmallestEffects(NamedTuple):
    """What one wave can notice; None for nothing."""

    restarts: float | None
    """How many times as many."""
    lasting_faults: float | None
    memory: float | None
    """More percentage points an hour."""


def smallest_effects(
    targets: Sequence[WaveTarget],
    waves: Sequence[Collection[int]],
    hours: Sequence[float | None],
    *,
    measures: int,
    at: datetime,
) -> list[SmallestEffects]:
    """What each wave notices once it and those before are updated. `hours`: how long it is watched, None for a day."""
    rate = _restarts_a_day(targets, at)
    stratum_of = {target.terminal: (target.site, target.model) for target in targets}
    size, updated = Counter(stratum_of.values()), Counter[tuple[int, str]]()
    found = []
    for wave, watched in zip(waves, hours, strict=True):
        updated.update(stratum_of[terminal] for terminal in wave)
        beside = [Beside(number, size[stratum] - number) for stratum, number in updated.items()]
        days = (24.0 if watched is None else watched) / 24
        found.append(_smallest(beside, rate, days, max(measures, 1)))
    return found


def _smallest(beside: Sequence[Beside], restarts: float, days: float, measures: int) -> SmallestEffects:
    return SmallestEffects(
        noticeable.smallest_ratio(beside, rate=restarts, days=days, measures=measures),
        noticeable.smallest_ratio(beside, rate=LASTING_FAULTS, days=days, measures=measures),
        noticeable.smallest_slope(beside, noise=MEMORY_NOISE, days=days, measures=measures),
    )


def _restarts_a_day(targets: Sequence[WaveTarget], at: datetime) -> float:
    """Restarts of a terminal a day, within the last days."""
    since = at - timedelta(days=HISTORY_DAYS)
    terminals = [target.terminal for target in targets]
    restarts = Outage.objects.filter(terminal__in=terminals, ended_at__gte=since, has_restarted=True).count()
    return max(restarts / HISTORY_DAYS / max(1, len(terminals)), LOWEST_MEAN)
