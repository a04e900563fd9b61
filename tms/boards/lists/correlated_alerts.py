"""Incidents in a list of alerts: one row replaces the alerts of an incident until the row is expanded."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, Incident, IncidentState
from tms.boards.lists.filters import AlertFilter
from tms.boards.rows.common import WORST_FIRST
from tms.boards.rows.incidents import MAX_ROWS, IncidentRow
from tms.lib.db.natural_order import natural
from tms.lib.severity import Severity

MAX_EXPANDED = 5
MAX_MEMBERS = 50


def unresolved_incidents(chosen: AlertFilter, *, among: Collection[int] | None) -> list[int]:
    """Unresolved incidents that match a filter; among those that a scope covers, if it is limited."""
    rows = Incident.objects.unresolved()
    if among is not None:
        rows = rows.filter(pk__in=among)
    if chosen.severity:
        rows = rows.filter(severity__in=chosen.severity)
    if chosen.unacknowledged:
        rows = rows.filter(state=IncidentState.OPEN)
    if chosen.site:
        rows = rows.filter(site__code__iexact=chosen.site)
    if chosen.who:
        rows = rows.filter(acknowledged_by__username=chosen.who)
    return list(rows.values_list("pk", flat=True)[: 2 * MAX_ROWS])


def most_urgent(rows: Iterable[IncidentRow]) -> list[IncidentRow]:
    return sorted(rows, key=_urgency)[:MAX_ROWS]


def outside(alerts: QuerySet[Alert], chosen: AlertFilter, *, among: Collection[int] | None) -> QuerySet[Alert]:
    """The `alerts` that no incident row represents: also those whose incident is not `among` those of the scope."""
    if among is not None and not among:
        return alerts
    apart = Q(incident=None)
    if among is not None:
        apart |= ~Q(incident__in=among)
    if chosen.who:
        apart |= ~Q(incident__acknowledged_by__username=chosen.who)
    return alerts.filter(apart)


def members(pks: Collection[int], *, scope: Scope) -> Mapping[int, list[int]]:
    """The most urgent alerts of each of these incidents, in the natural order of their terminals."""
    alerts = within(Alert.objects.unresolved().by_urgency(), scope)
    found = {pk: set(alerts.filter(incident=pk).values_list("pk", flat=True)[:MAX_MEMBERS]) for pk in pks}
    shown = Alert.objects.filter(pk__in=set().union(*found.values())).order_by(natural("terminal__uid"), "pk")
    order = list(shown.values_list("pk", flat=True)) if found else []
    return {pk: [member for member in order if member in members] for pk, members in found.items()}


def _urgency(row: IncidentRow) -> tuple[Any, ...]:
    return WORST_FIRST.index(Severity(row.severity)), not row.is_open, row.opened_at, row.pk
