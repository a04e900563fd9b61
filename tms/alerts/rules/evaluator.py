"""Evaluates the rules of one terminal's scope, and remembers which of them are active. No clock, no database."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tms.alerts.rule_kinds.evaluation import NO_THRESHOLD, EventRule, RuleKey, RuleMemory, Sample, ThresholdRule
from tms.alerts.rules.compiled import RuleSet, ScopedRules
from tms.alerts.rules.events import RuleCleared, RuleEvent, RuleTriggered

UNKNOWN = 0
"""The revision of a rule that another node knew first."""

type Higher = tuple[int, datetime]
"""The index of a threshold above the active one, and since when it is reached."""


class RuleEvaluator:
    """Active rules with the index of the threshold they reached; 0 for rules without thresholds."""

    __slots__ = ("_active", "_higher", "_memory", "_rules", "terminal_id")

    def __init__(self, terminal_id: int, rules: ScopedRules = ScopedRules()) -> None:  # noqa: B008  (it is frozen)
        self.terminal_id = terminal_id
        self._rules = rules
        self._active: dict[RuleKey, int] = {}
        self._memory: RuleMemory = {}
        self._higher: dict[RuleKey, Higher] = {}

    def begin(self, rules: RuleSet, applicable: ScopedRules, active: Mapping[int, str]) -> None:
        """Continue from the database: the active rules, with the current severity of each."""
        self._rules = applicable
        reached = {
            rule.key.rule_id: rule.index_of(active.get(rule.key.rule_id, "")) for rule in applicable.threshold_rules()
        }
        self._active = {
            RuleKey(rule_id, rules.revisions.get(rule_id, UNKNOWN)): reached.get(rule_id, 0) for rule_id in active
        }

    def follow(self, rules: RuleSet, applicable: ScopedRules, *, at: datetime) -> list[RuleEvent]:
        """Evaluate other rules from now on. Clears changed rules, and rules that no longer apply.

        An edit clears conditions in the database, but not a rule event that was still on its way there.
        """
        before, self._active, self._rules = self._active, {}, applicable
        rule_events: list[RuleEvent] = []
        for key, index in before.items():
            revision = rules.revisions.get(key.rule_id, UNKNOWN)
            is_known = revision != UNKNOWN
            if key.revision in {revision, UNKNOWN} and (not is_known or key.rule_id in applicable.rule_ids):
                self._active[RuleKey(key.rule_id, revision)] = index
            else:
                rule_events.append(RuleCleared(key.rule_id, self.terminal_id, at))
        self._memory = {key: trail for key, trail in self._memory.items() if rules.revisions.get(key[0]) == key[1]}
        self._higher = {key: higher for key, higher in self._higher.items() if key in self._active}
        return rule_events

    def report(self, sample: Sample, codes: Iterable[str] = ()) -> list[RuleEvent]:
        rule_events: list[RuleEvent] = []
        self._evaluate_metrics(sample, rule_events)
        if self._rules.values:
            self._evaluate(self._rules.values, sample, rule_events)
        for code in codes:
            self._evaluate_code(self._rules.event, code, sample.at, rule_events)
        return rule_events

    def alive(self, at: datetime) -> list[RuleEvent]:
        """A heartbeat without a report: a missing metric is still missing."""
        rule_events: list[RuleEvent] = []
        if self._rules.absent:
            self._evaluate(self._rules.absent, Sample({}, at, at), rule_events)
        return rule_events

    def event(self, code: str, at: datetime) -> list[RuleEvent]:
        rule_events: list[RuleEvent] = []
        self._evaluate_code(self._rules.event, code, at, rule_events)
        return rule_events

    def is_active(self, key: RuleKey) -> bool:
        return key in self._active

    def _evaluate_metrics(self, sample: Sample, rule_events: list[RuleEvent]) -> None:
        """The hot path of ingest: most values are normal, and for most terminals no rule is active."""
        by_metric, active = self._rules.metric, self._active
        for name, value in sample.metrics.items():
            for low, high, rule in by_metric.get(name, ()):
                if not (low < value < high) or (active and rule.key in active):
                    self._apply_value(rule, value, sample.at, rule_events)

    def _evaluate(self, rules: Iterable[ThresholdRule], sample: Sample, rule_events: list[RuleEvent]) -> None:
        for rule in rules:
            value = rule.value(sample, self._memory)
            if value is not None:
                self._apply_value(rule, value, sample.at, rule_events)

    def _apply_value(self, rule: ThresholdRule, value: float, at: datetime, rule_events: list[RuleEvent]) -> None:
        active = self._active.get(rule.key, NO_THRESHOLD)
        reached = rule.reached(value, active)
        if reached != active:
            self._change(rule, active, reached, value, at, rule_events)
        elif self._higher:
            self._higher.pop(rule.key, None)

    def _change(
        self, rule: ThresholdRule, active: int, reached: int, value: float, at: datetime, rule_events: list[RuleEvent]
    ) -> None:
        if reached > active > NO_THRESHOLD:
            reached = self._lasting(rule, reached, at)
        else:
            self._higher.pop(rule.key, None)
        if reached == active:
            return
        if reached == NO_THRESHOLD:
            rule_events.append(self._clear(rule.key, at))
            return
        self._active[rule.key] = reached
        severity = rule.thresholds[reached].severity
        rule_events.append(
            RuleTriggered(rule.key.rule_id, self.terminal_id, at, rule.duration_s, value=value, severity=severity)
        )

    def _lasting(self, rule: ThresholdRule, reached: int, at: datetime) -> int:
        """A higher threshold counts after the rule's duration, too; until then the active one stays."""
        least, since = self._higher.get(rule.key, (reached, at))
        least = min(least, reached)
        if (at - since).total_seconds() >= rule.duration_s:
            self._higher.pop(rule.key, None)
            return least
        self._higher[rule.key] = least, since
        return self._active[rule.key]

    def _evaluate_code(self, rules: Iterable[EventRule], code: str, at: datetime, rule_events: list[RuleEvent]) -> None:
        for rule in rules:
            matches = rule.matches(code)
            if matches is None:
                continue
            if not matches:
                rule_events.append(self._clear(rule.key, at))
                continue
            # A repeated event triggers again, which postpones the automatic clearing of the alert.
            self._active[rule.key] = 0
            rule_events.append(
                RuleTriggered(rule.key.rule_id, self.terminal_id, at, rule.duration_s, clear_after_s=rule.clear_after_s)
            )

    def _clear(self, key: RuleKey, at: datetime) -> RuleCleared:
        self._active.pop(key, None)
        return RuleCleared(key.rule_id, self.terminal_id, at)
