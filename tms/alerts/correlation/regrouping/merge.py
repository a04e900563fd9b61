"""Incidents that a person knows to be one are merged by hand."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from tms.accounts.models import User
from tms.alerts.correlation.actions import cover_by_hand
from tms.alerts.correlation.evidence.common_factor import common_factor
from tms.alerts.correlation.incident_transitions import transition
from tms.alerts.correlation.regrouping.absorb import absorb, adds_sizes, recount
from tms.alerts.lifecycle import AlreadyResolved
from tms.alerts.lifecycle.actions import with_comment
from tms.alerts.lifecycle.alert_transitions import Actor
from tms.alerts.locks import lock_terminals
from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident
from tms.alerts.models.incident import IncidentTransitionKind as Kind


@transaction.atomic
def merge(incidents: Collection[Incident], into: Incident, *, by: User, comment: str, at: datetime) -> Incident:
    """Alerts of unresolved `incidents` belong to `into` from now on, whose state and acknowledgement stay.

    Incidents that were resolved meanwhile stay as they are. Raises AlreadyResolved if `into` was.
    """
    wanted = {incident.pk for incident in incidents} | {into.pk}
    rows = Incident.objects.filter(pk__in=wanted).unresolved().locked()
    found = {row.pk: row for row in rows.select_related("acknowledged_by", "site")}
    if into.pk not in found:
        into.refresh_from_db()
        raise AlreadyResolved(into)
    row = found.pop(into.pk)
    if found:
        lock_terminals(Alert.objects.unresolved().filter(incident__in=found))
        _merge(list(found.values()), row, actor=Actor(by, comment=comment), at=at)
    return row


def _merge(parts: Sequence[Incident], into: Incident, *, actor: Actor, at: datetime) -> None:
    size = into.size + sum(part.size for part in parts)
    number = absorb(parts, into, at=at, actor=actor)
    recount(into, at)
    if adds_sizes(into, parts):
        into.size = max(size, into.lost)
    fields = {"size": into.size, **with_comment(actor.comment)}
    transition(into, Kind.JOINED, at=at, actor=actor, number=number, fields=fields)
    common_factor(into)
    cover_by_hand(into, at=at)
