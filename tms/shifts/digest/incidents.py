"""Incidents of a shift, resolved or not."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from tms.accounts.display_names import Name, name_of
from tms.alerts.models import Incident


class IncidentLine(NamedTuple):
    pk: int
    title: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    """When it was resolved; None if it was unresolved at the end of the shift."""
    by: Name | None
    """The person who had acknowledged it at the end of the shift."""
    comment: str


def incidents(rows: QuerySet[Incident], since: datetime, until: datetime) -> list[IncidentLine]:
    """Incidents that were unresolved at any time of the shift, in order (indexes: incident_unresolved,
    incident_resolved).
    """
    unresolved = rows.filter(Q(resolved_at=None) | Q(resolved_at__gte=since), opened_at__lt=until)
    people = unresolved.select_related("site", "group", "rule", "acknowledged_by").order_by("opened_at", "pk")
    return [_line(incident, until) for incident in people]


def _line(incident: Incident, until: datetime) -> IncidentLine:
    is_resolved = incident.resolved_at is not None and incident.resolved_at < until
    was_acknowledged = incident.acknowledged_at is not None and incident.acknowledged_at < until
    return IncidentLine(
        incident.pk,
        incident.title,
        incident.severity,
        incident.opened_at,
        incident.resolved_at if is_resolved else None,
        name_of(incident.acknowledged_by) if was_acknowledged and incident.acknowledged_by else None,
        incident.comment,
    )
