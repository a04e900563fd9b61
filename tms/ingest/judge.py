"""Judges a terminal's live reports by the rules, remembering which of them hold."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import UNSET

from tms.alerts.lifecycle import Claim, Release, Verdict
from tms.alerts.rulebook import rulebook
from tms.alerts.rules import Applicable, EventRule, MetricRule, RuleKey
from tms.fleet.credentials import Identity
from tms.protocol import frames

UNHEARD_OF = 0
"""The revision of a rule that another node knew first."""


class Judge:
    """One link's judge. It begins with what the database holds, so that a reconnect neither opens nor clears twice."""

    __slots__ = ("_held", "_identity", "_snapshot")

    def __init__(self, identity: Identity, held: Iterable[int] = ()) -> None:
        self._identity = identity
        self._snapshot = rulebook.snapshot
        self._held = {self._key(rule_id) for rule_id in held}

    def report(self, report: frames.Report, *, at: datetime) -> list[Verdict]:
        """What the report changes. A late one fills history and changes nothing."""
        if report.late or report.boot_id is not UNSET:
            return []
        verdicts = self._learn(at)
        rules = self._rules()
        if rules.metric and report.metrics is not UNSET:
            self._judge_metrics(rules.metric, report.metrics, at, verdicts)
        for event in report.events:
            self._judge_event(rules.event, event.code, at, verdicts)
        return verdicts

    def event(self, code: str, *, at: datetime) -> list[Verdict]:
        verdicts = self._learn(at)
        self._judge_event(self._rules().event, code, at, verdicts)
        return verdicts

    def _learn(self, at: datetime) -> list[Verdict]:
        """Follow the rulebook. What a changed rule held is let go here too.

        Whoever changed it did so in the database, but not of a claim that was on its way there.
        """
        if self._snapshot is rulebook.snapshot:
            return []
        self._snapshot = rulebook.snapshot
        held, self._held = self._held, set()
        verdicts: list[Verdict] = []
        for before in held:
            key = self._key(before.rule_id)
            if before.revision in (key.revision, UNHEARD_OF):
                self._held.add(key)
            else:
                verdicts.append(Release(key.rule_id, self._identity.terminal_id, at))
        return verdicts

    def _key(self, rule_id: int) -> RuleKey:
        return RuleKey(rule_id, self._snapshot.revisions.get(rule_id, UNHEARD_OF))

    def _rules(self) -> Applicable:
        return self._snapshot.for_terminal(self._identity.site_id, self._identity.kind)

    def _judge_metrics(
        self, rules: tuple[MetricRule, ...], metrics: Mapping[str, float], at: datetime, verdicts: list[Verdict]
    ) -> None:
        for rule in rules:
            holding = rule.key in self._held
            verdict = rule.verdict(metrics, holding=holding)
            if verdict is None or verdict is holding:
                continue
            verdicts.append(
                self._turn(
                    rule.key,
                    at,
                    Claim(rule.key.rule_id, self._identity.terminal_id, at, rule.duration_s, value=metrics[rule.metric])
                    if verdict
                    else None,
                )
            )

    def _judge_event(self, rules: tuple[EventRule, ...], code: str, at: datetime, verdicts: list[Verdict]) -> None:
        for rule in rules:
            verdict = rule.verdict(code)
            if verdict is None:
                continue
            # An event that comes again is claimed again: it prolongs the time until the alert lets go by itself.
            claim = Claim(rule.key.rule_id, self._identity.terminal_id, at, rule.duration_s, rule.clear_after_s)
            verdicts.append(self._turn(rule.key, at, claim if verdict else None))

    def _turn(self, key: RuleKey, at: datetime, claim: Claim | None) -> Verdict:
        if claim is not None:
            self._held.add(key)
            return claim
        self._held.discard(key)
        return Release(key.rule_id, self._identity.terminal_id, at)
