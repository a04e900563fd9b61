"""Incidents as they were at an instant, from their transitions."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db.models import Q, QuerySet

from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, AlertState, Incident, IncidentTransition
from tms.replay.state.base import Instant
from tms.replay.state.effects import OF_INCIDENTS, Then, TransitionColumns, after
from tms.replay.state.identity import facts_of, site_of
from tms.replay.state.members import joined

STEP_COLUMNS = ("incident_id", "kind", "at", "by_id", "comment", "severity", "contract", "until", "to_id")


def candidates(instant: Instant) -> QuerySet[Incident]:
    """Incidents that were unresolved, by their own columns, and those of uncommitted transitions."""
    uncommitted = instant.uncommitted(IncidentTransition.objects.order_by()).values_list("incident_id", flat=True)
    unresolved = Q(resolved_at=None) | Q(resolved_at__gt=instant.at)
    return Incident.objects.filter(Q(opened_at__lte=instant.at) & unresolved | Q(pk__in=list(uncommitted)))


def states(pks: Collection[int], instant: Instant) -> dict[int, Then]:
    """Incidents that were not open yet are missing."""
    made = instant.changes(IncidentTransition.objects.filter(incident__in=list(pks))).order_by("at", "pk")
    return after((TransitionColumns(*row) for row in made.values_list(*STEP_COLUMNS)), OF_INCIDENTS)


def rewound(
    rows: QuerySet[Incident],
    then: Mapping[int, Then],
    open_counts: Mapping[int, int],
    instant: Instant,
    scope: Scope,
) -> list[Incident]:
    """The incidents with the columns of then, oldest first. `open_counts`: their unresolved members then."""
    chosen = rows.filter(pk__in=list(then)).select_related("site", "group", "rule").order_by("opened_at", "pk")
    people_of = ((one.acknowledged_by, one.claimed_by, one.assigned_to) for one in then.values())
    named = {pk for one in people_of for pk in one if pk is not None}
    people = User.objects.in_bulk(named)
    ongoing = {pk for pk, one in then.items() if one.is_unresolved}
    members = joined(list(then), instant, ongoing=ongoing)
    extents = _extents(members, instant, scope)
    return [
        _rewind(row, then[row.pk], people, members[row.pk], extents[row.pk], open_counts.get(row.pk, 0))
        for row in chosen
    ]


class Extent(NamedTuple):
    """What had been lost."""

    terminals: int
    """The number of terminals."""
    sites: Collection[int]


def _extents(members: Mapping[int, Collection[int]], instant: Instant, scope: Scope) -> dict[int, Extent]:
    """The extent of each incident, with the sites of then."""
    alerts = [alert for of_one in members.values() for alert in of_one]
    rows = Alert.objects.filter(pk__in=alerts).values_list("pk", "terminal_id", "terminal__site_id") if alerts else ()
    lost_at = {pk: (terminal, site) for pk, terminal, site in rows}
    identities = facts_of({terminal for terminal, _ in lost_at.values()}, instant, scope)
    found = {}
    for pk, of_one in members.items():
        lost = dict(lost_at[alert] for alert in of_one if alert in lost_at)
        sites = {site_of(identities.get(terminal, {}), site) for terminal, site in lost.items()}
        found[pk] = Extent(len(lost), sites)
    return found


def _rewind(
    incident: Incident,
    then: Then,
    people: Mapping[int, User],
    members: Collection[int],
    extent: Extent,
    open_count: int,
) -> Incident:
    by_snooze = then.state == AlertState.SNOOZED
    columns = {
        "state": AlertState.ACKNOWLEDGED if by_snooze else then.state,
        "by_snooze": by_snooze,
        "assigned_to": people.get(then.assigned_to or 0),
        "severity": then.severity or incident.severity,
        "acknowledged_by": people.get(then.acknowledged_by or 0),
        "acknowledged_at": then.acknowledged_at,
        "contract": then.contract,
        "until": then.until,
        "comment": then.comment,
        "claimed_by": people.get(then.claimed_by or 0),
        "claimed_until": None,
        "resolved_at": then.resolved_at,
        "joined_count": len(members),
        "resolved_count": len(members) - open_count,
        "lost": extent.terminals,
        "size": max(incident.size, extent.terminals),
        "site_count": incident.site_count_of(extent.sites),
        "common_factor": "",
        "common_name": "",
        "common_count": 0,
        "version": 0,
    }
    for name, value in columns.items():
        setattr(incident, name, value)
    if then.is_unresolved:
        incident.merged_into_id = None
    return incident
