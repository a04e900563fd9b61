"""What presence rules say when terminals come and go."""

from collections.abc import Iterable, Mapping

from tms.alerts.rules.compiled import Place, RuleSet
from tms.alerts.rules.events import RuleCleared, RuleEvent, RuleTriggered
from tms.fleet.models import Cause, Presence
from tms.fleet.presence.transitions import Move


def follow_presence(moves: Iterable[Move], rules: RuleSet, places: Mapping[int, Place]) -> list[RuleEvent]:
    """What presence rules say of `moves`, in their order."""
    rule_events: list[RuleEvent] = []
    for move in moves:
        # Whoever falls silent keeps the cause of it when it is offline.
        cause_before = move.cause if move.presence == Presence.OFFLINE else Cause.NONE
        for rule in rules.for_terminal(places[move.terminal_id]).presence:
            before, now = rule.matches(move.before, cause_before), rule.matches(move.presence, move.cause)
            if now and not before:
                rule_events.append(RuleTriggered(rule.key.rule_id, move.terminal_id, move.at, rule.duration_s))
            elif before and not now:
                rule_events.append(RuleCleared(rule.key.rule_id, move.terminal_id, move.at))
    return rule_events
