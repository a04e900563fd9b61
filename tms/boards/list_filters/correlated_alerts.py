"""Incidents in a list of alerts: one row replaces the alerts of an incident until the row is expanded."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.correlation.forming import FormingIncident, undecided_since, wait
from tms.alerts.models import Alert, AlertQuerySet, Incident, IncidentState
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.rows.forming import FormingRow
from tms.boards.rows.incidents import MAX_ROWS, IncidentRow
from tms.lib.db.natural_order import natural
from tms.lib.severity import RANKS

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


def matches(row: FormingRow, chosen: AlertFilter) -> bool:
    """Whether the filter matches the forming incident, as in `unresolved_incidents`. Nobody has acknowledged it."""
    sites = {site.site_label.code.casefold() for site in row.sites}
    is_of_site = not chosen.site or chosen.site.casefold() in sites
    return is_of_site and not chosen.who and (not chosen.severity or row.severity in chosen.severity)


def most_urgent[Row: IncidentRow | FormingRow](rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=_urgency)[:MAX_ROWS]


def outside(alerts: AlertQuerySet, chosen: AlertFilter, *, among: Collection[int] | None) -> AlertQuerySet:
    """The `alerts` that no incident row represents: also those whose incident is not `among` those of the scope."""
    if among is not None and not among:
        return alerts
    apart = Q(incident=None)
    if among is not None:
        apart |= ~Q(incident__in=among)
    if chosen.who:
        apart |= ~Q(incident__acknowledged_by__username=chosen.who)
    return alerts.filter(apart)


def decided(alerts: AlertQuerySet, shown: FormingIncident, *, at: datetime) -> AlertQuerySet:
    """The alerts without those that are part of the forming incident, or will be part of an incident in a moment."""
    shown_alone = Q(undecided_since__lte=at - wait())
    if sites := shown.hidden_sites:
        shown_alone &= Q(undecided_since__lte=undecided_since(at)) | ~Q(terminal__site__in=sites)
    return alerts.with_undecided_since().filter(Q(undecided_since=None) | shown_alone)


def members(pks: Collection[int], *, scope: Scope) -> Mapping[int, list[int]]:
    """The most urgent alerts of each of these incidents, in the natural order of their terminals."""
    alerts = within(Alert.objects.unresolved().by_urgency(), scope)
    found = {pk: set(alerts.filter(incident=pk).values_list("pk", flat=True)[:MAX_MEMBERS]) for pk in pks}
    shown = Alert.objects.filter(pk__in=set().union(*found.values())).order_by(natural("terminal__uid"), "pk")
    order = list(shown.values_list("pk", flat=True)) if found else []
    return {pk: [member for member in order if member in members] for pk, members in found.items()}


def _urgency(row: IncidentRow | FormingRow) -> tuple[Any, ...]:
    return RANKS[row.severity], not row.is_open, row.opened_at, row.pk
