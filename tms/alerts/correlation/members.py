"""How incidents open and get alerts: for every kind of correlation the same."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from tms.alerts.correlation.candidates import AffectedShare
from tms.alerts.correlation.evidence.common_factor import common_factor
from tms.alerts.correlation.incident_transitions import transition
from tms.alerts.correlation.regrouping.reassign import reassign
from tms.alerts.lifecycle.acknowledge import lock_in_states
from tms.alerts.lifecycle.actions import UNRESOLVED
from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident
from tms.alerts.models.incident import IncidentTransitionKind as Kind
from tms.fleet.models import Group
from tms.lib.severity import worst


class MemberAlert(Protocol):
    """An alert that may become part of an incident."""

    @property
    def alert(self) -> int: ...
    @property
    def severity(self) -> str: ...


def free[M: MemberAlert](found: Iterable[M]) -> list[M]:
    """The unresolved alerts without an incident, locked.

    Rows locked by another transaction are left for the next pass: two transactions that wait for each other would
    deadlock.
    """
    wanted = {one.alert: one for one in found}
    return [
        wanted[alert.pk] for alert in lock_in_states(Alert.objects.uncorrelated().filter(pk__in=wanted), UNRESOLVED)
    ]


def put(incident: Incident, members: Iterable[MemberAlert], at: datetime) -> None:
    """Add uncorrelated alerts; the next review counts them."""
    reassign(dict.fromkeys(one.alert for one in members), incident=incident, at=at)


def open_incident(
    identity: Mapping[str, Any], share: AffectedShare, members: Collection[MemberAlert], at: datetime
) -> Incident:
    """Open an incident of alerts that `free` returned. `identity`: the columns that say what they have in common."""
    group = Group.objects.filter(pk=identity["group_id"]).first() if identity["group_id"] else None
    incident = Incident.objects.create(
        **identity,
        group_name=group.name if group else "",
        severity=worst(one.severity for one in members),
        opened_at=at,
        changed_at=at,
        unchanged_since=at,
        size=share.size,
        lost=share.lost,
        joined_count=len(members),
    )
    put(incident, members, at)
    common_factor(incident)
    transition(incident, Kind.OPENED, at=at, number=len(members))
    return incident
