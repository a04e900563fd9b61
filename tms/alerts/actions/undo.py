"""Undo of operator actions: what the person acknowledged or snoozed just now is as before, unless it changed since.

What another person had acknowledged is acknowledged by that person again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts import lifecycle
from tms.alerts.actions.before import Before, Groups, grouped, restore
from tms.alerts.correlation import actions as of_incident
from tms.alerts.lifecycle import Conflict
from tms.alerts.locks import lock_incidents
from tms.alerts.models import Alert, AlertQuerySet, AlertState, Contract, Incident, Transition, TransitionKind

ALERTS, INCIDENTS = "alerts", "incidents"
UNDOABLE = frozenset({"acknowledge", "snooze"})


class AlertsBefore(NamedTuple):
    """Alerts as they were before an action."""

    action: str
    groups: Groups
    """The groups of alerts; empty if the action cannot be undone, or changes too many."""

    @classmethod
    def of(cls, action: str, alerts: AlertQuerySet) -> Self:
        groups = grouped(alerts, most=undo.MAX_ROWS) if action in UNDOABLE else None
        return cls(action, groups or ())

    def offer(self, *, by: User, at: datetime) -> str:
        """A token; empty if there is nothing to undo."""
        if not self.groups:
            return ""
        return undo.offer(ALERTS, {"action": self.action, "groups": self.groups, "at": at.isoformat()}, by=by)


class IncidentsBefore(NamedTuple):
    """Incidents as they were before an action."""

    incidents: Mapping[int, Before]
    """The incidents; empty if the action cannot be undone, or changes too many."""
    apart: Groups = ()
    """Their alerts that were not in the state of their incident."""

    @classmethod
    def of(cls, action: str, incidents: Iterable[Incident]) -> Self:
        rows = list(incidents)
        apart = grouped(_apart(rows), most=undo.MAX_ROWS) if action in UNDOABLE else None
        return cls({}) if apart is None else cls({row.pk: Before.of_incident(row) for row in rows}, apart)

    def offer(self, *, by: User, at: datetime) -> str:
        """A token; empty if there is nothing to undo."""
        if not self.incidents:
            return ""
        payload = {"incidents": list(self.incidents.items()), "apart": self.apart, "at": at.isoformat()}
        return undo.offer(INCIDENTS, payload, by=by)


def _apart(incidents: Sequence[Incident]) -> AlertQuerySet:
    is_apart = Q(incident__in=[row.pk for row in incidents if row.state == AlertState.OPEN]) & ~Q(state=AlertState.OPEN)
    for row in incidents:
        if row.state == AlertState.ACKNOWLEDGED:
            is_apart |= Q(incident=row) & ~of_incident.handled_with(row)
    return Alert.objects.unresolved().filter(is_apart)


@transaction.atomic
def undo_of_alerts(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    done_at, groups = _instant(payload["at"]), _groups(payload["groups"])
    changed_then = Alert.objects.filter(pk__in=_keys(groups))
    rows = permitted(changed_then, by=by, permission=Permission.HANDLE_ALERTS)
    mine = _acknowledged(by, done_at) if payload["action"] == "acknowledge" else _snoozed(by, done_at)
    pks = list(rows.filter(mine).values_list("pk", flat=True))
    changed = lifecycle.reopen(Alert.objects.filter(pk__in=pks), by=by, comment="", at=at)
    restore(groups, pks, by=by, at=at)
    return bool(changed)


@transaction.atomic
def undo_of_incidents(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    done_at, apart = _instant(payload["at"]), _groups(payload["apart"])
    before = {pk: Before(*columns) for pk, columns in payload["incidents"]}
    rows = permitted(Incident.objects.filter(pk__in=before), by=by, permission=Permission.HANDLE_ALERTS)
    mine = list(rows.filter(_acknowledged(by, done_at)).order_by("pk"))
    lock_incidents(Incident.objects.filter(pk__in=[incident.pk for incident in mine]))
    for incident in mine:
        try:
            with transaction.atomic():
                _undo_of_incident(incident, before[incident.pk], apart, by=by, done_at=done_at, at=at)
        except Conflict:
            continue
    return bool(mine)


def _undo_of_incident(
    incident: Incident, before: Before, apart: Groups, *, by: User, done_at: datetime, at: datetime
) -> None:
    alerts = of_incident.alerts_of(incident)
    changed_then = alerts.filter(of_incident.handled_with(incident), pk__in=_keys(apart))
    pks = list(changed_then.values_list("pk", flat=True))
    of_incident.reopen(incident, by=by, comment="", at=at)
    restore(apart, pks, by=by, at=at)
    # It got worse since, which would have ended this acknowledgement.
    has_grown = before.contract == Contract.WORSE and alerts.filter(opened_at__gt=done_at).exists()
    if before.is_open or before.is_over(at) or has_grown or (person := before.person) is None:
        return
    of_incident.restore(
        incident,
        by=person,
        comment=before.comment,
        contract=Contract(before.contract),
        until=before.ends_at,
        is_snooze=before.is_snoozed,
        apart=_keys(apart),
        at=at,
    )


def _groups(rows: Iterable[Sequence[Any]]) -> Groups:
    return [(Before(*columns), pks) for columns, pks in rows]


def _keys(groups: Groups) -> list[int]:
    return [pk for _, pks in groups for pk in pks]


def _acknowledged(by: User, since: datetime) -> Q:
    return Q(state=AlertState.ACKNOWLEDGED, acknowledged_by=by, acknowledged_at__gte=since)


def _snoozed(by: User, since: datetime) -> Q:
    """The condition that this person snoozed the alert since then, and that no other one did."""
    made = Transition.objects.filter(alert=OuterRef("pk"), kind=TransitionKind.SNOOZED, at__gte=since)
    return Q(Exists(made.filter(by=by)), ~Exists(made.exclude(by=by)), state=AlertState.SNOOZED)


def _instant(text: str) -> datetime:
    at = parse_datetime(text)
    assert at is not None, text
    return at


undo.register(ALERTS, undo_of_alerts, {"acknowledge": _("Acknowledgement undone"), "snooze": _("Snooze undone")})
undo.register(INCIDENTS, undo_of_incidents, _("Acknowledgement undone"))
