"""What rules say, in few words."""

from tests.builders import later
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Alert, Rule
from tms.fleet.models import Terminal


def claim(rule: Rule, terminal: Terminal, seconds: float = 0, **fields) -> RuleTriggered:
    return RuleTriggered(rule.pk, terminal.pk, later(seconds), **fields)


def release(rule: Rule, terminal: Terminal, seconds: float = 0) -> RuleCleared:
    return RuleCleared(rule.pk, terminal.pk, later(seconds))


def opened(rule: Rule, terminal: Terminal) -> Alert:
    lifecycle.apply_events([claim(rule, terminal)])
    return Alert.objects.unresolved().get(rule=rule, terminal=terminal)


def history(alert: Alert) -> list[str]:
    return list(alert.transitions.values_list("kind", flat=True))
