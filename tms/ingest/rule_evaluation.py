"""Evaluates a terminal's live reports by the rules this process has cached."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import UNSET

from tms.alerts.lifecycle import RuleEvent
from tms.alerts.rule_kinds.evaluation import Sample
from tms.alerts.rules.cache import rule_cache
from tms.alerts.rules.compiled import RuleSet, TerminalScope
from tms.alerts.rules.evaluator import RuleEvaluator
from tms.fleet.credentials.services import TerminalIdentity
from tms.protocol import frames

NO_METRICS: Mapping[str, float] = {}


class LinkEvaluator:
    """The evaluator of one link. It starts with the active rules of the database, so that a reconnect triggers nothing
    twice.
    """

    __slots__ = ("_evaluator", "_identity", "_snapshot")

    def __init__(self, identity: TerminalIdentity, active: Mapping[int, str] | None = None) -> None:
        self._identity = identity
        self._evaluator = RuleEvaluator(identity.terminal_id)
        self._snapshot: RuleSet | None = None
        """The rules in force. None: the active rules of the database have not been compared with them yet."""
        if active is not None:
            rules = rule_cache().snapshot
            self._evaluator.begin(rules, rules.for_terminal(scope_of(identity)), active)

    def report(self, report: frames.ReportFrame, *, at: datetime) -> list[RuleEvent]:
        """Rule events of a report. A late report only fills the history."""
        if report.late or report.boot_id is not UNSET:
            return []
        changed = self._follow_rules(at)
        metrics = NO_METRICS if report.metrics is UNSET else report.metrics
        rule_events = self._evaluator.report(
            Sample(metrics, report.at or at, at), [event.code for event in report.events]
        )
        return changed + rule_events if changed else rule_events

    def heartbeat(self, *, at: datetime) -> list[RuleEvent]:
        return [*self._follow_rules(at), *self._evaluator.alive(at)]

    def event(self, code: str, *, at: datetime) -> list[RuleEvent]:
        return [*self._follow_rules(at), *self._evaluator.event(code, at)]

    def _follow_rules(self, at: datetime) -> list[RuleEvent]:
        """Rule events of a rule set that has changed since the last call."""
        if self._snapshot is rule_cache().snapshot:
            return []
        self._snapshot = rule_cache().snapshot
        return self._evaluator.follow(self._snapshot, self._snapshot.for_terminal(scope_of(self._identity)), at=at)


def scope_of(identity: TerminalIdentity) -> TerminalScope:
    return TerminalScope(identity.terminal_id, identity.site_id, identity.kind, identity.model)
