"""What every kind of rule defines. Pure: a kind sees `RuleFacts`, which `alerts.Rule` implements, and no model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any, ClassVar, NamedTuple, Protocol

from django.utils.functional import Promise

from tms.alerts.rule_kinds.evaluation import CompiledRule, RuleKey, Threshold
from tms.alerts.rule_kinds.sources import RuleSource

SEVERITIES = ("info", "warning", "critical")
"""Form fields: the threshold of each severity."""
LASTING = ("hysteresis", "duration_s")

type Trace = Sequence[tuple[datetime, float]]
"""A line of a plot."""


class ChartLimit(NamedTuple):
    """A line on the chart of a metric. Values beyond it are above (`above`) or below it (`below`)."""

    comparison: str
    limit: float
    severity: str


class History(Enum):
    """What a preview reads."""

    ROLLUPS = auto()
    """Reports of the hours in which a roll-up is beyond the threshold."""
    REPORTS = auto()
    EVENTS = auto()
    PRESENCE = auto()
    NONE = auto()
    """No history is stored: a preview shows for which terminals the rule would match now."""


class RuleFacts(Protocol):
    """A rule as kinds see it."""

    pk: Any
    revision: int
    severity: str
    duration_s: float
    presence: str
    metric: str
    limit: float | None
    lower_limit: float | None
    hysteresis: float
    window_s: float
    event_code: str
    clear_code: str
    clear_after_s: float
    firmware: str

    @property
    def thresholds(self) -> Sequence[Mapping[str, Any]]: ...


class ValueFacts(Protocol):
    """What an alert records of its value. The limits are those of the threshold that was reached."""

    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def limit(self) -> float | None: ...
    @property
    def lower_limit(self) -> float | None: ...


class Extremes(Protocol):
    """The lowest and highest value of a simulated alert."""

    @property
    def lowest(self) -> float | None: ...
    @property
    def highest(self) -> float | None: ...


class RuleKind(ABC):
    """A rule kind. It decides which fields a rule has, and what they mean."""

    name: ClassVar[str]
    """The comparison of a metric rule, else its source; also the slug in URLs. Stored, so it never changes."""
    source: ClassVar[RuleSource]
    label: ClassVar[str | Promise]
    hint: ClassVar[str | Promise]
    condition: ClassVar[str | Promise]
    """The first half of the rule's sentence; `placeholders` fills it in."""
    fields: ClassVar[tuple[str, ...]]
    """Form fields. There is one threshold field per severity, and a `_lower` one if values have a range."""
    required: ClassVar[tuple[str, ...]] = ()
    """The fields of a rule that the kind needs."""
    history: ClassVar[History]
    has_duration_limits: ClassVar[bool] = False
    """Thresholds are durations, and entered as such."""

    def __init_subclass__(cls) -> None:
        """What a kind has to say and does not fails here, when TMS starts."""
        missing = [part for part in RuleKind.__annotations__ if not hasattr(cls, part)]
        if missing and ABC not in cls.__bases__:
            raise TypeError(f"rule kind {cls.__name__} lacks {', '.join(missing)}")

    @property
    def comparison(self) -> str:
        """How a metric rule compares; empty for other rules."""
        return self.name if self.source is RuleSource.METRIC else ""

    @property
    def has_thresholds(self) -> bool:
        return "limit" in self.required

    @property
    def has_range(self) -> bool:
        """Values have to stay between two limits."""
        return "lower_limit" in self.required

    @property
    def has_history(self) -> bool:
        return self.history is not History.NONE

    @abstractmethod
    def compile(self, rule: RuleFacts) -> CompiledRule: ...

    def placeholders(self, rule: RuleFacts) -> dict[str, str]:
        """Values for the placeholders of `condition`, besides {who} and {severity}."""
        return {}

    def thresholds(self, rule: RuleFacts) -> tuple[Threshold, ...]:
        """Thresholds by rising severity."""
        return tuple(self.threshold(**one) for one in rule.thresholds)

    def threshold(self, severity: str, limit: float, lower_limit: float | None = None) -> Threshold:
        return Threshold(severity, high=limit)

    def is_further_out(self, higher: Threshold, lower: Threshold) -> bool:
        """Whether `higher` lies further from normal values than the threshold of a lower severity."""
        return higher.high > lower.high

    def unit(self, metric: str) -> str:
        """The unit of the thresholds."""
        return ""

    def format_limit(self, rule: RuleFacts, limit: float | None) -> str:
        """A limit with its unit; empty for None."""
        return ""

    def describe_value(self, alert: ValueFacts) -> str:
        """How far beyond its threshold an alert was when it opened: `CPU 97 %, threshold 90 %`."""
        return ""

    def peak(self, alert: Extremes) -> float | None:
        """The worst value."""
        return alert.highest

    def chart_limits(self, rule: RuleFacts) -> tuple[ChartLimit, ...]:
        """The limits that a chart draws; none if thresholds are not values of the metric."""
        return ()

    def plotted(self, lowest: Trace, highest: Trace) -> tuple[Trace, ...]:
        """The hourly extremes that a plot shows: those that may be beyond a threshold."""
        return ()


def key_of(rule: RuleFacts) -> RuleKey:
    return RuleKey(rule.pk, rule.revision)
