"""Evaluates presence rules when link states change."""

from collections.abc import Iterable, Mapping

from tms.alerts.rules.compiled import RuleSet, TerminalScope
from tms.alerts.rules.events import RuleCleared, RuleEvent, RuleTriggered
from tms.fleet.models import Cause, Presence
from tms.fleet.presence.state_machine import LinkStateChange


def follow_presence(
    link_changes: Iterable[LinkStateChange], rules: RuleSet, scopes: Mapping[int, TerminalScope]
) -> list[RuleEvent]:
    """The rule events of `link_changes`, in their order."""
    rule_events: list[RuleEvent] = []
    for change in link_changes:
        # A terminal that was silent has the same cause when it is offline.
        cause_before = change.cause if change.presence == Presence.OFFLINE else Cause.NONE
        for rule in rules.for_terminal(scopes[change.terminal_id]).presence:
            before, now = rule.matches(change.before, cause_before), rule.matches(change.presence, change.cause)
            if now and not before:
                rule_events.append(RuleTriggered(rule.key.rule_id, change.terminal_id, change.at, rule.duration_s))
            elif before and not now:
                rule_events.append(RuleCleared(rule.key.rule_id, change.terminal_id, change.at))
    return rule_events
