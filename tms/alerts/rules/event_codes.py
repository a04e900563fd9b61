"""Evaluates event rules for an event that TMS raises about a terminal."""

from datetime import datetime

from tms.alerts.rules.compiled import RuleSet, TerminalScope
from tms.alerts.rules.evaluator import RuleEvaluator
from tms.alerts.rules.events import RuleEvent


def follow_event(code: str, scope: TerminalScope, rules: RuleSet, *, at: datetime) -> list[RuleEvent]:
    """The rule events of an event. A link that begins later reads what they made active.

    The lifecycle state is not asked, because a first boot changes it in the same transaction: `trigger` reads it.
    """
    return RuleEvaluator(scope.terminal_id, rules.in_scope(scope)).event(code, at)
