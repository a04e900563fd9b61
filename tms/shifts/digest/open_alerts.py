"""Alerts open at the end of a shift, with the person responsible, as they were then."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from tms.accounts.display_names import Name, name_of
from tms.alerts.models import Alert, AlertState, Contract, Transition, TransitionKind
from tms.alerts.suppression.reasons import Reason
from tms.lib.severity import RANKS


class OpenAlertLine(NamedTuple):
    pk: int
    severity: str
    site: str
    rule: str
    uid: str
    label: str
    opened_at: datetime
    state: str = AlertState.OPEN.value
    by: Name | None = None
    """Who acknowledged or snoozed it."""
    until: datetime | None = None
    contract: str = ""
    comment: str = ""
    """The latest comment."""
    is_suppressed: bool = False
    """It was not notified when it opened, because of maintenance."""

    @property
    def is_snoozed(self) -> bool:
        return self.state == AlertState.SNOOZED

    @property
    def terms(self) -> str:
        """The terms of the contract, unless it ends at an instant."""
        return str(Contract(self.contract).label) if self.contract and self.until is None else ""


def open_alerts(alerts: QuerySet[Alert], at: datetime, *, without: Collection[int] = ()) -> list[OpenAlertLine]:
    """The open alerts by severity, unacknowledged first, then oldest first; none of the incidents `without`. Two
    queries.
    """
    rows = alerts.filter(Q(resolved_at=None) | Q(resolved_at__gte=at), opened_at__lt=at).exclude(incident__in=without)
    begun = {alert.pk: _at_opening(alert) for alert in rows.select_related("rule", "terminal__site").order_by("pk")}
    for step in _steps(begun, at):
        begun[step.alert_id] = _after(begun[step.alert_id], step)
    return sorted(begun.values(), key=_urgency)


def _urgency(one: OpenAlertLine) -> tuple[int, bool, datetime, int]:
    return RANKS[one.severity], one.state != AlertState.OPEN, one.opened_at, one.pk


def _at_opening(alert: Alert) -> OpenAlertLine:
    terminal = alert.terminal
    return OpenAlertLine(
        alert.pk,
        alert.severity,
        terminal.site.local_name,
        alert.rule.local_name,
        terminal.uid,
        terminal.label,
        alert.opened_at,
        is_suppressed=alert.suppressed_at_open == Reason.MAINTENANCE,
    )


def _steps(alerts: Collection[int], at: datetime) -> Iterable[Transition]:
    rows = Transition.objects.filter(alert__in=alerts, at__lt=at)
    return rows.select_related("by", "to").order_by("alert", "at", "pk")


def _after(before: OpenAlertLine, step: Transition) -> OpenAlertLine:
    """The alert after the transition `step`."""
    now = before._replace(severity=step.severity or before.severity, comment=step.comment or before.comment)
    by = name_of(step.by) if step.by else None
    if step.kind == TransitionKind.ASSIGNED:
        # Assigning an acknowledged alert makes the other person responsible; assigning an open one only asks.
        return now._replace(by=name_of(step.to)) if step.to and now.state == AlertState.ACKNOWLEDGED else now
    if step.kind == TransitionKind.CHANGED:
        return now._replace(until=step.until, contract=step.contract)
    if step.kind == TransitionKind.ACKNOWLEDGED:
        return now._replace(state=AlertState.ACKNOWLEDGED.value, by=by, until=step.until, contract=step.contract)
    if step.kind == TransitionKind.SNOOZED:
        return now._replace(state=AlertState.SNOOZED.value, by=by, until=step.until, contract="")
    if step.kind in TransitionKind.leading_to(AlertState.OPEN):
        return now._replace(state=AlertState.OPEN.value, by=None, until=None, contract="")
    return now
