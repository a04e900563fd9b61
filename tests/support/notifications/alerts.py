"""Alerts that open and resolve at a given second, and what a webhook receiver was notified of."""

from tests.support.builders import later
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert


def open_alert(fleet, *, rule=None, terminal=None, seconds: float = 0, **fields) -> Alert:
    rule = rule or fleet.metric_rule(**({"severity": "critical"} | fields))
    terminal = terminal or fleet.online()
    lifecycle.apply_events([RuleTriggered(rule.pk, terminal.pk, later(seconds))])
    return Alert.objects.unresolved().get(rule=rule, terminal=terminal)


def resolve_alert(alert: Alert, seconds: float) -> None:
    lifecycle.apply_events([lifecycle.RuleCleared(alert.rule_id, alert.terminal_id, later(seconds))])


def event_kinds(receiver) -> list[str]:
    return [event["type"].split(".")[2] for event in receiver.events]


def notified_alerts(receiver) -> list[list[int]]:
    return [[alert["id"] for alert in event["data"]["alerts"]] for event in receiver.events]
