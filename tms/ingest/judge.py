"""Judges a terminal's live reports by the rules, remembering which of them hold."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import UNSET

from tms.alerts.lifecycle import Claim, Release, Verdict
from tms.alerts.rulebook import rulebook
from tms.alerts.rules import Applicable, EventRule, MetricRule, RuleKey
from tms.fleet.credentials import Identity
from tms.protocol import frames


class Judge:
    """One link's judge. It begins with what the database holds, so that a reconnect neither opens nor clears twice."""

    __slots__ = ("_held", "_identity")

    def __init__(self, identity: Identity, held: Iterable[int] = ()) -> None:
        self._identity = identity
        revisions = rulebook.snapshot.revisions
        self._held = {RuleKey(rule_id, revisions.get(rule_id, 0)) for rule_id in held}

    def report(self, report: frames.Report, *, at: datetime) -> list[Verdict]:
        """What the report changes. A late one fills history and changes nothing."""
        if report.late or report.boot_id is not UNSET:
            return []
        rules = self._rules()
        verdicts: list[Verdict] = []
        if rules.metric and report.metrics is not UNSET:
            self._judge_metrics(rules.metric, report.metrics, at, verdicts)
        for event in report.events:
            self._judge_event(rules.event, event.code, at, verdicts)
        return verdicts

    def event(self, code: str, *, at: datetime) -> list[Verdict]:
        verdicts: list[Verdict] = []
        self._judge_event(self._rules().event, code, at, verdicts)
        return verdicts

    def _rules(self) -> Applicable:
        return rulebook.snapshot.for_terminal(self._identity.site_id, self._identity.kind)

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
