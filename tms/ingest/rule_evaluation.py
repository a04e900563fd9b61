"""Judges a terminal's live reports by the rules, as this process knows them."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import UNSET

from tms.alerts.lifecycle import RuleEvent
from tms.alerts.rule_kinds.evaluation import Sample
from tms.alerts.rules.cache import rule_cache
from tms.alerts.rules.compiled import RuleSet, TerminalScope
from tms.alerts.rules.evaluator import RuleEvaluator
from tms.fleet.credentials.services import Identity
from tms.protocol import frames

NO_METRICS: Mapping[str, float] = {}


class LinkEvaluator:
    """One link's judge. It begins with what the database holds, so that a reconnect neither opens nor clears twice."""

    __slots__ = ("_judging", "_place", "_snapshot")

    def __init__(self, identity: Identity, held: Mapping[int, str] | None = None) -> None:
        self._place = place_of(identity)
        self._judging = RuleEvaluator(identity.terminal_id)
        self._snapshot: RuleSet | None = None
        """None: what the database holds has not been compared yet with what applies here."""
        if held is not None:
            rules = rule_cache.snapshot
            self._judging.begin(rules, rules.for_terminal(self._place), held)

    def report(self, report: frames.Report, *, at: datetime) -> list[RuleEvent]:
        """What the report changes. A late one fills history and changes nothing."""
        if report.late or report.boot_id is not UNSET:
            return []
        learnt = self._learn(at)
        metrics = NO_METRICS if report.metrics is UNSET else report.metrics
        rule_events = self._judging.report(
            Sample(metrics, report.at or at, at), [event.code for event in report.events]
        )
        return learnt + rule_events if learnt else rule_events

    def alive(self, *, at: datetime) -> list[RuleEvent]:
        return [*self._learn(at), *self._judging.alive(at)]

    def event(self, code: str, *, at: datetime) -> list[RuleEvent]:
        return [*self._learn(at), *self._judging.event(code, at)]

    def _learn(self, at: datetime) -> list[RuleEvent]:
        """Follow the rule_cache."""
        if self._snapshot is rule_cache.snapshot:
            return []
        self._snapshot = rule_cache.snapshot
        return self._judging.follow(self._snapshot, self._snapshot.for_terminal(self._place), at=at)


def place_of(identity: Identity) -> TerminalScope:
    return TerminalScope(identity.terminal_id, identity.site_id, identity.kind, identity.model)
