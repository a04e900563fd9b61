"""Alerts that do not belong to their incident are moved out by hand, and are notified on their own from then on."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from tms.accounts.models import User
from tms.alerts.correlation.incident_transitions import transition
from tms.alerts.correlation.regrouping.absorb import recount
from tms.alerts.correlation.regrouping.reassign import reassign
from tms.alerts.lifecycle import AlreadyResolved
from tms.alerts.lifecycle.alert_transitions import Actor
from tms.alerts.locks import lock_with_terminals
from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident
from tms.alerts.models.incident import IncidentTransitionKind as Kind


@transaction.atomic
def move_out(incident: Incident, alerts: Collection[int], *, by: User, comment: str, at: datetime) -> list[int]:
    """Move these unresolved alerts out of the incident; the correlation does not put them back.

    Returns the keys of those that were moved. Raises AlreadyResolved.
    """
    row = _lock(incident)
    mine = Alert.objects.unresolved().filter(incident=row, pk__in=alerts)
    moved = [alert.pk for alert in lock_with_terminals(mine)]
    if moved:
        reassign(dict.fromkeys(moved, row.pk), incident=None, at=at)
        Alert.objects.filter(pk__in=moved).update(is_separate=True)
        recount(row, at)
        transition(row, Kind.MOVED_OUT, at=at, actor=Actor(by, comment=comment), number=len(moved))
    return moved


@transaction.atomic
def put_back(incident: Incident, alerts: Collection[int], *, by: User, at: datetime) -> list[int]:
    """Reverse `move_out`. Returns the keys of those that are members again. Raises AlreadyResolved."""
    row = _lock(incident)
    separate = Alert.objects.unresolved().filter(incident=None, is_separate=True, pk__in=alerts)
    back = [alert.pk for alert in lock_with_terminals(separate)]
    if back:
        reassign(dict.fromkeys(back), incident=row, at=at)
        recount(row, at)
        transition(row, Kind.JOINED, at=at, actor=Actor(by), number=len(back))
    return back


def _lock(incident: Incident) -> Incident:
    (row,) = Incident.objects.filter(pk=incident.pk).locked()
    if row.resolved_at is not None:
        raise AlreadyResolved(row)
    return row
