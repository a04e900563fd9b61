"""When each loop of the clock last succeeded: as gauges of the leader, and in a table that every process reads."""

import math
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from tms.metrics import instruments
from tms.ops.models import LoopSuccess

WRITES_PER_LIMIT = 4
"""A lane writes so often within the shortest of its limits."""


class LoopAges:
    """The loops of one lane. `limits` maps each loop to the age in seconds at which it counts as stalled."""

    def __init__(self, limits: Mapping[str, float], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._monotonic = limits, monotonic
        self._succeeded: dict[str, float] = {}
        self._unwritten: set[str] = set()
        self._written_at = -math.inf

    @property
    def is_due(self) -> bool:
        return self._monotonic() - self._written_at >= min(self._limits.values()) / WRITES_PER_LIMIT

    def start(self) -> None:
        """This process leads from now on. The age of a loop without a success counts from here."""
        now = self._monotonic()
        self._succeeded, self._unwritten, self._written_at = dict.fromkeys(self._limits, now), set(), -math.inf
        for name, limit_s in self._limits.items():
            instruments.CLOCK_LOOP_LIMIT.labels(name).set(limit_s)
            instruments.CLOCK_LOOP_AGE.labels(name).set_function(lambda name=name: self._age(name))  # type: ignore[misc]

    def stop(self) -> None:
        """This process no longer leads, so it reports no ages."""
        for name in self._succeeded:
            instruments.CLOCK_LOOP_AGE.remove(name)
            instruments.CLOCK_LOOP_LIMIT.remove(name)
        self._succeeded = {}

    def note_success(self, name: str) -> None:
        self._succeeded[name] = self._monotonic()
        self._unwritten.add(name)

    def write(self, at: datetime) -> None:
        """Store the successes since the last call. Blocks for a statement or two."""
        names = self._unwritten & self._succeeded.keys()
        without_success = self._limits.keys() - names
        with transaction.atomic():
            LoopSuccess.objects.record({name: self._limits[name] for name in names}, node=settings.NODE, at=at)
            if self._written_at == -math.inf:
                LoopSuccess.objects.begin(
                    {name: self._limits[name] for name in without_success}, node=settings.NODE, at=at
                )
        self._unwritten -= names
        self._written_at = self._monotonic()

    def _age(self, name: str) -> float:
        return self._monotonic() - self._succeeded.get(name, self._monotonic())


def stalled(known: Collection[LoopSuccess], at: datetime) -> list[str]:
    """The problem in words for each loop that has not succeeded for too long."""
    late = [loop for loop in known if loop.age_s(at) > loop.limit_s]
    return [f"{loop.name}: no success for {loop.age_s(at):.0f} s" for loop in sorted(late, key=lambda loop: loop.name)]
