"""The forming incident, from the counts and incidents that this process has cached."""

from collections.abc import Collection
from datetime import datetime

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.correlation.forming import (
    MIN_TOGETHER,
    NOTHING,
    FormingIncident,
    SiteIncident,
    forming,
    undecided_since,
    wait,
)
from tms.alerts.models import Incident
from tms.boards.caches.census import Census
from tms.boards.caches.incidents import UnresolvedIncidents


def covered_incidents(incidents: Collection[int], scope: Scope) -> Collection[int]:
    """The incidents that the scope covers. The database is asked only if there are any."""
    if not incidents:
        return ()
    return set(within(Incident.objects.filter(pk__in=incidents), scope).values_list("pk", flat=True))


def forming_of(
    census: Census, unresolved: UnresolvedIncidents, *, covered: Collection[int] | None, at: datetime
) -> FormingIncident:
    """`covered`: the incidents that a limited scope covers."""
    recent = [one for one in census.undecided.values() if one.opened_at > undecided_since(at)]
    absorbed = unresolved.absorbed(since=at - wait())
    incidents = [
        SiteIncident(row.pk, row.site, row.severity, row.opened_at, row.lost)
        for row in unresolved.of_sites
        if row.site is not None and row.pk not in absorbed and (covered is None or row.pk in covered)
    ]
    if not recent and not absorbed and len(incidents) < MIN_TOGETHER:
        return NOTHING
    if incidents and not unresolved.merges_sites:
        incidents = []
    joining = unresolved.joined_by(recent) if recent else {}
    return forming([one for one in recent if one not in joining], incidents, joining, absorbed, at=at)
