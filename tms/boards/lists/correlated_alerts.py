"""Incidents in a list of alerts: one row replaces the alerts of an incident until the row is expanded."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from tms.accounts.access import Person, visible
from tms.alerts.models import Alert, Incident, IncidentState
from tms.boards.lists.filters import AlertFilter
from tms.boards.rows.common import WORST_FIRST
from tms.boards.rows.incidents import MAX_ROWS, IncidentRow, incident_rows
from tms.lib.severity import Severity

MAX_EXPANDED = 5
MAX_MEMBERS = 50


def unresolved_incidents(chosen: AlertFilter, *, to: Person) -> list[IncidentRow]:
    """Unresolved incidents that match a filter, most urgent first."""
    rows = visible(Incident.objects.unresolved(), to=to)
    if chosen.severity:
        rows = rows.filter(severity__in=chosen.severity)
    if chosen.unacknowledged:
        rows = rows.filter(state=IncidentState.OPEN)
    if chosen.site:
        rows = rows.filter(site__code__iexact=chosen.site)
    if chosen.who:
        rows = rows.filter(acknowledged_by__username=chosen.who)
    found = incident_rows(list(rows.values_list("pk", flat=True)[: 2 * MAX_ROWS]))
    return sorted(found.values(), key=_urgency)[:MAX_ROWS]


def outside(alerts: QuerySet[Alert], chosen: AlertFilter) -> QuerySet[Alert]:
    """The `alerts` that no incident row represents."""
    if not chosen.who:
        return alerts.filter(incident=None)
    return alerts.filter(Q(incident=None) | ~Q(incident__acknowledged_by__username=chosen.who))


def members(pks: Collection[int], *, to: Person) -> Mapping[int, list[int]]:
    """The most urgent alerts of each of these incidents."""
    alerts = visible(Alert.objects.unresolved().by_urgency(), to=to)
    return {pk: list(alerts.filter(incident=pk).values_list("pk", flat=True)[:MAX_MEMBERS]) for pk in pks}


def _urgency(row: IncidentRow) -> tuple[Any, ...]:
    return WORST_FIRST.index(Severity(row.severity)), not row.is_open, row.opened_at, row.pk
