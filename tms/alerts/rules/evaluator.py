"""Judges one terminal by the rules of its scope, remembering which of them hold. No clock, no database."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tms.alerts.lifecycle import RuleCleared, RuleEvent, RuleTriggered
from tms.alerts.rule_kinds.evaluation import NO_THRESHOLD, EventRule, RuleKey, RuleMemory, Sample, ThresholdRule
from tms.alerts.rules.compiled import RuleSet, ScopedRules

UNHEARD_OF = 0
"""The revision of a rule that another node knew first."""

type Worse = tuple[int, datetime]
"""A step worse than the one that holds, and since when it is reached."""


class RuleEvaluator:
    """What holds is known by its step; rules without steps hold at the first."""

    __slots__ = ("_held", "_memory", "_rules", "_worse", "terminal_id")

    def __init__(self, terminal_id: int, rules: ScopedRules = ScopedRules()) -> None:  # noqa: B008  (it is frozen)
        self.terminal_id = terminal_id
        self._rules = rules
        self._held: dict[RuleKey, int] = {}
        self._memory: RuleMemory = {}
        self._worse: dict[RuleKey, Worse] = {}

    def begin(self, rules: RuleSet, applicable: ScopedRules, held: Mapping[int, str]) -> None:
        """Go on with what the database says that holds: rules, with the severity of their step."""
        self._rules = applicable
        steps = {level.key.rule_id: level.step_of(held.get(level.key.rule_id, "")) for level in applicable.of_values()}
        self._held = {
            RuleKey(rule_id, rules.revisions.get(rule_id, UNHEARD_OF)): steps.get(rule_id, 0) for rule_id in held
        }

    def follow(self, rules: RuleSet, applicable: ScopedRules, *, at: datetime) -> list[RuleEvent]:
        """Judge by other rules from now on. What a changed rule held is let go, and what no longer applies here.

        Whoever changed it did so in the database, but not of a claim that was on its way there.
        """
        before, self._held, self._rules = self._held, {}, applicable
        rule_events: list[RuleEvent] = []
        for key, step in before.items():
            revision = rules.revisions.get(key.rule_id, UNHEARD_OF)
            is_known = revision != UNHEARD_OF
            if key.revision in {revision, UNHEARD_OF} and (not is_known or key.rule_id in applicable.rule_ids):
                self._held[RuleKey(key.rule_id, revision)] = step
            else:
                rule_events.append(RuleCleared(key.rule_id, self.terminal_id, at))
        self._memory = {key: trail for key, trail in self._memory.items() if rules.revisions.get(key[0]) == key[1]}
        self._worse = {key: worse for key, worse in self._worse.items() if key in self._held}
        return rule_events

    def report(self, seen: Sample, codes: Iterable[str] = ()) -> list[RuleEvent]:
        rule_events: list[RuleEvent] = []
        self._weigh_metrics(seen, rule_events)
        if self._rules.levels:
            self._weigh(self._rules.levels, seen, rule_events)
        for code in codes:
            self._hear(self._rules.event, code, seen.at, rule_events)
        return rule_events

    def alive(self, at: datetime) -> list[RuleEvent]:
        """A sign of life that reports nothing: what is missing goes on missing."""
        rule_events: list[RuleEvent] = []
        if self._rules.absent:
            self._weigh(self._rules.absent, Sample({}, at, at), rule_events)
        return rule_events

    def event(self, code: str, at: datetime) -> list[RuleEvent]:
        rule_events: list[RuleEvent] = []
        self._hear(self._rules.event, code, at, rule_events)
        return rule_events

    def holds(self, key: RuleKey) -> bool:
        return key in self._held

    def _weigh_metrics(self, seen: Sample, rule_events: list[RuleEvent]) -> None:
        """The hot path of ingest: most values are calm, and of most terminals nothing is held."""
        by_metric, held = self._rules.metric, self._held
        for name, value in seen.metrics.items():
            for low, high, rule in by_metric.get(name, ()):
                if not (low < value < high) or (held and rule.key in held):
                    self._place(rule, value, seen.at, rule_events)

    def _weigh(self, rules: Iterable[ThresholdRule], seen: Sample, rule_events: list[RuleEvent]) -> None:
        for rule in rules:
            value = rule.value(seen, self._memory)
            if value is not None:
                self._place(rule, value, seen.at, rule_events)

    def _place(self, rule: ThresholdRule, value: float, at: datetime, rule_events: list[RuleEvent]) -> None:
        held = self._held.get(rule.key, NO_THRESHOLD)
        step = rule.step(value, held)
        if step != held:
            self._move(rule, held, step, value, at, rule_events)
        elif self._worse:
            self._worse.pop(rule.key, None)

    def _move(
        self, rule: ThresholdRule, held: int, step: int, value: float, at: datetime, rule_events: list[RuleEvent]
    ) -> None:
        if step > held > NO_THRESHOLD:
            step = self._lasting(rule, step, at)
        else:
            self._worse.pop(rule.key, None)
        if step == held:
            return
        if step == NO_THRESHOLD:
            rule_events.append(self._release(rule.key, at))
            return
        self._held[rule.key] = step
        severity = rule.steps[step].severity
        rule_events.append(
            RuleTriggered(rule.key.rule_id, self.terminal_id, at, rule.duration_s, value=value, severity=severity)
        )

    def _lasting(self, rule: ThresholdRule, step: int, at: datetime) -> int:
        """It is worse only when it has been so for the rule's duration, too; until then the held step stays."""
        least, since = self._worse.get(rule.key, (step, at))
        least = min(least, step)
        if (at - since).total_seconds() >= rule.duration_s:
            self._worse.pop(rule.key, None)
            return least
        self._worse[rule.key] = least, since
        return self._held[rule.key]

    def _hear(self, rules: Iterable[EventRule], code: str, at: datetime, rule_events: list[RuleEvent]) -> None:
        for rule in rules:
            matches = rule.matches(code)
            if matches is None:
                continue
            if not matches:
                rule_events.append(self._release(rule.key, at))
                continue
            # An event that comes again is claimed again: it prolongs the time until the alert lets go by itself.
            self._held[rule.key] = 0
            rule_events.append(
                RuleTriggered(rule.key.rule_id, self.terminal_id, at, rule.duration_s, clear_after_s=rule.clear_after_s)
            )

    def _release(self, key: RuleKey, at: datetime) -> RuleCleared:
        self._held.pop(key, None)
        return RuleCleared(key.rule_id, self.terminal_id, at)
