"""Merges incidents: one absorbs the others."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q

from tms.alerts.correlation.incident_transitions import resolved_fields, transition
from tms.alerts.correlation.regrouping.reassign import reassign
from tms.alerts.lifecycle.alert_transitions import SYSTEM, Actor
from tms.alerts.models.alert import Alert, AlertState
from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import Incident
from tms.alerts.models.incident import IncidentTransitionKind as Kind


def absorb(parts: Sequence[Incident], into: Incident, *, at: datetime, actor: Actor = SYSTEM) -> int:
    """The alerts of `parts` belong to `into` from now on, and `parts` end. `recount` or the next review counts them.

    The incidents are locked, and these alerts or the link states of their terminals. Returns how many alerts there
    were.
    """
    alerts = Alert.objects.filter(incident__in=parts)
    before = dict(alerts.values_list("pk", "incident"))
    reassign(before, incident=into, at=at)
    for part in parts:
        part.resolved_count = part.joined_count
        fields = resolved_fields(at) | {"merged_into": into}
        transition(part, Kind.MERGED, at=at, actor=actor, number=part.joined_count, fields=fields)
    return len(before)


def recount(incident: Incident, at: datetime) -> None:
    """Count the incident's alerts again, after some of them changed their incident."""
    counts = Alert.objects.filter(incident=incident).aggregate(
        lost=Count("terminal", distinct=True),
        joined=Count("pk"),
        resolved=Count("pk", filter=Q(state=AlertState.RESOLVED)),
    )
    incident.lost, incident.size = counts["lost"], max(incident.size, counts["lost"])
    incident.joined_count, incident.resolved_count = counts["joined"], counts["resolved"]
    sites = Alert.objects.filter(incident=incident).values_list("terminal__site", flat=True)
    incident.site_count = incident.site_count_of(set(sites.distinct()))
    incident.unchanged_since = at
    incident.save(update_fields=("lost", "size", "joined_count", "resolved_count", "site_count", "unchanged_since"))


def adds_sizes(into: Incident, parts: Sequence[Incident]) -> bool:
    """Whether an incident that these are merged into is as large as all of them: they are of different sites."""
    return all(one.factor == Factor.SITE for one in (into, *parts))
