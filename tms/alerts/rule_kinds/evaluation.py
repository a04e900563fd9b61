"""Compiled rules. Pure; a report without the metric changes nothing.

Rules on values (a metric, its rate, how long it is missing, a clock) are `ThresholdRule`s: each takes one number from a
report, and its thresholds define the severity.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import NamedTuple

from tms.fleet.models.states import CAUSED_BY_TMS, Cause, Presence


class RuleKey(NamedTuple):
    """A rule at one revision. An edit makes a new revision, and clears what the old one had triggered."""

    rule_id: int
    revision: int


class Sample(NamedTuple):
    """One report. `taken_at` is by the terminal's clock, `at` by the clock of TMS."""

    metrics: Mapping[str, float]
    taken_at: datetime
    at: datetime


type RuleMemory = dict[RuleKey, array[float]]
"""What rules remember of one terminal: instants and values alternately, oldest first."""


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
    """Thresholds by rising severity."""
    hysteresis: float
    duration_s: float

    def value(self, sample: Sample, memory: RuleMemory) -> float | None:
        """The number to compare, or None if this report changes nothing. May write `memory`."""
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
        """The threshold with this severity; the first one if there is none."""
        return next((index for index, one in enumerate(self.thresholds) if one.severity == severity), 0)


@dataclass(frozen=True, slots=True)
class MetricRule(ThresholdRule):
    metric: str

    def value(self, sample: Sample, memory: RuleMemory) -> float | None:
        return sample.metrics.get(self.metric)


SAMPLES = 10
"""Number of values remembered per window."""


@dataclass(frozen=True, slots=True)
class RateRule(ThresholdRule):
    """How much a metric changes per minute, between now and `window_s` ago.

    Uses the terminal's clock, because reports may arrive in bursts.
    """

    metric: str
    window_s: float

    def value(self, sample: Sample, memory: RuleMemory) -> float | None:
        value = sample.metrics.get(self.metric)
        if value is None:
            return None
        now, trail = sample.taken_at.timestamp(), memory.setdefault(self.key, array("d"))
        if trail and now < trail[-2]:
            del trail[:]  # the terminal's clock was set back
        while len(trail) > 2 and now - trail[2] >= self.window_s:
            del trail[:2]
        passed = now - trail[0] if trail else 0.0
        rate = (value - trail[1]) / passed * 60 if passed >= self.window_s else None
        if not trail or now - trail[-2] >= self.window_s / SAMPLES:
            trail.extend((now, value))
        return rate


@dataclass(frozen=True, slots=True)
class AbsentRule(ThresholdRule):
    """The rule on how many seconds a metric is missing, since it was last reported on this link."""

    metric: str

    def value(self, sample: Sample, memory: RuleMemory) -> float | None:
        now = sample.at.timestamp()
        if self.metric in sample.metrics or self.key not in memory:
            memory[self.key] = array("d", (now,))
        return now - memory[self.key][0]


@dataclass(frozen=True, slots=True)
class ClockRule(ThresholdRule):
    """The rule on how many seconds a terminal's clock is off, according to its live reports.

    The link has no clock of its own, so a delayed report looks like a clock that is behind: give such a rule a
    duration.
    """

    def value(self, sample: Sample, memory: RuleMemory) -> float | None:
        return abs((sample.taken_at - sample.at).total_seconds())


@dataclass(frozen=True, slots=True)
class PresenceRule:
    """Matches while a terminal is offline, or while it is silent or offline.

    A silence that TMS itself caused does not match: the terminal has a grace period to reconnect.
    """

    key: RuleKey
    presence: str
    duration_s: float

    def matches(self, presence: str, cause: str = Cause.NONE) -> bool:
        if presence == Presence.SILENT and cause in CAUSED_BY_TMS:
            return False
        return presence in {Presence.OFFLINE, self.presence}


@dataclass(frozen=True, slots=True)
class EventRule:
    """Triggers on one event code; clears on another, or after `clear_after_s` without a repetition (0: never)."""

    key: RuleKey
    event_code: str
    clear_code: str
    clear_after_s: float
    duration_s: float

    def matches(self, code: str) -> bool | None:
        if code == self.event_code:
            return True
        return False if code and code == self.clear_code else None


@dataclass(frozen=True, slots=True)
class FirmwareRule:
    """Evaluated by the clock, not by reports: see `tms.alerts.lifecycle.firmware`."""

    key: RuleKey
    firmware: str
    """The expected firmware; empty for that of most terminals of the model."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class ConfigurationRule:
    """Evaluated by the clock as well: what a terminal shall have changes without a report."""

    key: RuleKey
    duration_s: float


type CompiledRule = ThresholdRule | PresenceRule | EventRule | FirmwareRule | ConfigurationRule
