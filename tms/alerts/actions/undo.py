"""Undo of operator actions: what the person acknowledged or snoozed just now is as before, unless it changed since."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from tms.accounts import undo
from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts import lifecycle
from tms.alerts.correlation import actions as of_incident
from tms.alerts.lifecycle import Conflict
from tms.alerts.models import Alert, AlertQuerySet, AlertState, Incident

ALERTS, INCIDENTS = "alerts", "incidents"
UNDOABLE = frozenset({"acknowledge", "snooze"})


class AlertsBefore(NamedTuple):
    """Alerts as they were before an action."""

    action: str
    pks: Sequence[int]
    snoozed: Sequence[tuple[int, datetime]]

    @classmethod
    def of(cls, action: str, alerts: QuerySet[Alert]) -> Self:
        """Empty if the action cannot be undone, or changes too many."""
        if action not in UNDOABLE:
            return cls(action, (), ())
        rows = list(alerts.order_by("pk").values_list("pk", "state", "until")[: undo.MOST_ROWS + 1])
        if len(rows) > undo.MOST_ROWS:
            return cls(action, (), ())
        snoozed = [(pk, until) for pk, state, until in rows if state == AlertState.SNOOZED and until]
        return cls(action, [pk for pk, *_ in rows], snoozed)

    def offer(self, *, by: User, at: datetime) -> str:
        """A token; empty if there is nothing to undo."""
        if not self.pks:
            return ""
        snoozed = [(pk, until.isoformat()) for pk, until in self.snoozed]
        payload = {"action": self.action, "pks": list(self.pks), "snoozed": snoozed, "at": at.isoformat()}
        return undo.offer(ALERTS, payload, by=by)


def offer_for_incidents(action: str, incidents: Sequence[Incident], *, by: User, at: datetime) -> str:
    """A token; empty if the action cannot be undone."""
    if action not in UNDOABLE:
        return ""
    return undo.offer(INCIDENTS, {"pks": [row.pk for row in incidents], "at": at.isoformat()}, by=by)


@transaction.atomic
def undo_of_alerts(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    done_at = _instant(payload["at"])
    rows: Any = permitted(Alert.objects.filter(pk__in=payload["pks"]), by=by, permission=Permission.HANDLE_ALERTS)
    mine = _acknowledged(by, done_at) if payload["action"] == "acknowledge" else _snoozed(by, done_at)
    chosen: AlertQuerySet = rows.filter(mine)
    pks = list(chosen.values_list("pk", flat=True))
    changed = lifecycle.reopen(Alert.objects.filter(pk__in=pks), by=by, comment="", at=at)
    for pk, until in payload["snoozed"]:
        if pk in pks and (ends_at := _instant(until)) > at:
            lifecycle.snooze(Alert.objects.filter(pk=pk), until=ends_at, by=by, comment="", at=at)
    return bool(changed)


@transaction.atomic
def undo_of_incidents(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    rows = permitted(Incident.objects.filter(pk__in=payload["pks"]), by=by, permission=Permission.HANDLE_ALERTS)
    mine = list(rows.filter(_acknowledged(by, _instant(payload["at"]))).order_by("pk"))
    for incident in mine:
        try:
            with transaction.atomic():
                of_incident.reopen(incident, by=by, comment="", at=at)
        except Conflict:
            continue
    return bool(mine)


def _acknowledged(by: User, since: datetime) -> Q:
    return Q(state=AlertState.ACKNOWLEDGED, acknowledged_by=by, acknowledged_at__gte=since)


def _snoozed(by: User, since: datetime) -> Q:
    """Not snoozed again by another person."""
    own = Q(transitions__kind="snoozed", transitions__by=by, transitions__at__gte=since)
    return Q(state=AlertState.SNOOZED) & own


def _instant(text: str) -> datetime:
    at = parse_datetime(text)
    assert at is not None, text
    return at


undo.register(ALERTS, undo_of_alerts)
undo.register(INCIDENTS, undo_of_incidents)
