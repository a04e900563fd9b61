"""What rules say. Pure, and honest about absence: a report without the metric proves nothing.

Rules on values (metrics, how fast they change, how long they are missing, a clock) are levels: each makes one number
of a report, and its thresholds tell how bad that is.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import NamedTuple

from tms.fleet.models import OURS, Cause, Presence


class RuleKey(NamedTuple):
    """A rule as it stands: an edit makes a new revision, and what the old one held no longer counts."""

    rule_id: int
    revision: int


class Sample(NamedTuple):
    """One report as rules see it. `taken_at` is by the terminal's clock, `at` by that of TMS."""

    metrics: Mapping[str, float]
    taken_at: datetime
    at: datetime


type RuleMemory = dict[RuleKey, array[float]]
"""What rules remember of one terminal: instants and values by turns, the oldest first."""


class Threshold(NamedTuple):
    """Reached from `high` up and from `low` down."""

    severity: str
    high: float = inf
    low: float = -inf


NO_THRESHOLD = -1


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """Triggers at its lowest threshold; clears once the value is more than `hysteresis` inside of it."""

    key: RuleKey
    thresholds: tuple[Threshold, ...]
    """By rising severity."""
    hysteresis: float
    duration_s: float

    def value(self, seen: Sample, memory: RuleMemory) -> float | None:
        """The number that counts, or None when this report proves nothing. `memory` may be written."""
        raise NotImplementedError

    def reached(self, value: float, active: int = NO_THRESHOLD) -> int:
        """Index of the highest threshold that `value` reaches. Those up to `active` clear only past the hysteresis."""
        for index in range(len(self.thresholds) - 1, -1, -1):
            _, high, low = self.thresholds[index]
            slack = self.hysteresis if index <= active else 0.0
            if value >= high - slack or value <= low + slack:
                return index
        return NO_THRESHOLD

    def index_of(self, severity: str) -> int:
        """Of the threshold with this severity; the first for one that has none."""
        return next((index for index, one in enumerate(self.thresholds) if one.severity == severity), 0)


@dataclass(frozen=True, slots=True)
class MetricRule(ThresholdRule):
    metric: str

    def value(self, seen: Sample, memory: RuleMemory) -> float | None:
        return seen.metrics.get(self.metric)


SAMPLES = 10
"""Kept of one window."""


@dataclass(frozen=True, slots=True)
class RateRule(ThresholdRule):
    """How much a metric changes in a minute, between now and `window_s` ago.

    By the terminal's clock: its reports may come in bursts, and their instants do not.
    """

    metric: str
    window_s: float

    def value(self, seen: Sample, memory: RuleMemory) -> float | None:
        value = seen.metrics.get(self.metric)
        if value is None:
            return None
        now, trail = seen.taken_at.timestamp(), memory.setdefault(self.key, array("d"))
        if trail and now < trail[-2]:
            del trail[:]  # its clock was set back
        while len(trail) > 2 and now - trail[2] >= self.window_s:
            del trail[:2]
        passed = now - trail[0] if trail else 0.0
        rate = (value - trail[1]) / passed * 60 if passed >= self.window_s else None
        if not trail or now - trail[-2] >= self.window_s / SAMPLES:
            trail.extend((now, value))
        return rate


@dataclass(frozen=True, slots=True)
class AbsentRule(ThresholdRule):
    """For how many seconds a metric was missing, counted from when it was last reported on this link."""

    metric: str

    def value(self, seen: Sample, memory: RuleMemory) -> float | None:
        now = seen.at.timestamp()
        if self.metric in seen.metrics or self.key not in memory:
            memory[self.key] = array("d", (now,))
        return now - memory[self.key][0]


@dataclass(frozen=True, slots=True)
class ClockRule(ThresholdRule):
    """By how many seconds a terminal's clock is wrong, as far as its live reports tell.

    The link carries no clock of its own, so a report that was long under way looks like a clock that is behind: give
    such a rule a duration.
    """

    def value(self, seen: Sample, memory: RuleMemory) -> float | None:
        return abs((seen.taken_at - seen.at).total_seconds())


@dataclass(frozen=True, slots=True)
class PresenceRule:
    """Holds while a terminal is offline, or while it is silent or offline.

    A silence that TMS itself caused proves nothing yet: the terminal has its grace to come back.
    """

    key: RuleKey
    presence: str
    duration_s: float

    def matches(self, presence: str, cause: str = Cause.NONE) -> bool:
        if presence == Presence.SILENT and cause in OURS:
            return False
        return presence in {Presence.OFFLINE, self.presence}


@dataclass(frozen=True, slots=True)
class EventRule:
    """Holds from one event code, until another code, or until it did not come again for `clear_after_s` (0: never)."""

    key: RuleKey
    event_code: str
    clear_code: str
    clear_after_s: float
    duration_s: float

    def matches(self, code: str) -> bool | None:
        if code == self.event_code:
            return True
        return False if code and code == self.clear_code else None
