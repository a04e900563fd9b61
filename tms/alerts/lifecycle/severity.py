"""Alerts worsen and improve. A worsened alert is reopened, because it is not what was acknowledged."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tms.alerts.lifecycle.alert_transitions import REOPENED_FIELDS, Actor, transition
from tms.alerts.models import Condition
from tms.alerts.models.alert import Alert, AlertState
from tms.alerts.models.transition import TransitionKind
from tms.alerts.rules.events import Pair, RuleTriggered, among
from tms.lib.severity import is_worse


def follow_severity(active: Sequence[tuple[Condition, RuleTriggered]]) -> None:
    """Active conditions take the severity of their latest event."""
    others = [(condition, event) for condition, event in active if condition.severity != event.severity]
    for condition, event in others:
        condition.severity = event.severity
    Condition.objects.bulk_update([condition for condition, _ in others], ["severity"])
    grade({event.pair: event for _, event in others})


def grade(triggered: dict[Pair, RuleTriggered]) -> None:
    """Alerts take the severity of these events; flapping ones stay at their highest."""
    if not triggered:
        return
    alerts = list(Alert.objects.unresolved().filter(among(triggered)).select_related("flapping").locked())
    for group, at, before, now in _groups(alerts, triggered):
        kind = TransitionKind.WORSENED if is_worse(now, than=before) else TransitionKind.EASED
        _record_values(group, triggered)
        transition(group, kind, at=at, fields={"severity": now}, before=before)
        if kind is TransitionKind.WORSENED:
            _reopen(group, at=at)


def reopen_worsened(opened: Sequence[Alert]) -> None:
    """Reopen alerts acknowledged until they worsen whose terminal gets another alert that is as severe."""
    worst: dict[int, Alert] = {}
    for alert in opened:
        known = worst.get(alert.terminal_id)
        if known is None or is_worse(alert.severity, than=known.severity):
            worst[alert.terminal_id] = alert
    watchful = list(Alert.objects.watchful().filter(terminal__in=worst).values_list("pk", flat=True))
    if not watchful:
        return
    for alert in Alert.objects.watchful().filter(pk__in=watchful).order_by("pk").select_for_update():
        other = worst[alert.terminal_id]
        if not is_worse(alert.severity, than=other.severity):
            _reopen([alert], at=other.opened_at, comment=other.rule.name)


def _groups(
    alerts: Iterable[Alert], triggered: dict[Pair, RuleTriggered]
) -> Iterable[tuple[list[Alert], datetime, str, str]]:
    """Alerts with the same transition at the same instant: (alerts, at, severity before, severity now)."""
    groups: dict[tuple[datetime, str, str], list[Alert]] = {}
    for alert in alerts:
        event = triggered[alert.rule_id, alert.terminal_id]
        is_severity_fixed = alert.is_flapping and is_worse(alert.severity, than=event.severity)
        if event.severity != alert.severity and not is_severity_fixed:
            groups.setdefault((event.at, alert.severity, event.severity), []).append(alert)
    return [(group, *key) for key, group in groups.items()]


def _record_values(alerts: Sequence[Alert], triggered: dict[Pair, RuleTriggered]) -> None:
    """The value of an alert is the one that caused its severity."""
    measured = [alert for alert in alerts if triggered[alert.rule_id, alert.terminal_id].value is not None]
    for alert in measured:
        alert.value = triggered[alert.rule_id, alert.terminal_id].value
    Alert.objects.bulk_update(measured, ["value"])


def _reopen(alerts: Sequence[Alert], *, at: datetime, comment: str = "") -> None:
    """Reopen the acknowledged and snoozed ones."""
    ended = [alert for alert in alerts if alert.state in (AlertState.ACKNOWLEDGED, AlertState.SNOOZED)]
    transition(ended, TransitionKind.REOPENED_WORSE, at=at, fields=REOPENED_FIELDS, actor=Actor(comment=comment))
