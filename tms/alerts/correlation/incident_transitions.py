"""Writes a transition of an incident: the row, its history, and the change for boards."""

from collections.abc import Mapping
from datetime import datetime

from tms.alerts import audit
from tms.alerts.lifecycle.alert_transitions import SYSTEM, UNCLAIMED_FIELDS, Actor
from tms.alerts.models.incident import Incident, IncidentState, IncidentTransition
from tms.alerts.models.incident import IncidentTransitionKind as Kind
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.metrics import instruments

REOPENED_FIELDS: Mapping[str, object] = {
    "state": IncidentState.OPEN,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "contract": "",
    "until": None,
    "by_snooze": False,
    **UNCLAIMED_FIELDS,
}


def transition(
    incident: Incident,
    kind: Kind,
    *,
    at: datetime,
    actor: Actor = SYSTEM,
    number: int = 0,
    fields: Mapping[str, object] | None = None,
) -> None:
    """Write one transition with `fields` to `incident`, which the caller has locked. Its instant is not before the last
    one, and neither is `resolved_at`: replays compare both.
    """
    incident.changed_at = max(at, incident.changed_at)
    incident.version += kind.traits.is_decision
    for name, value in (fields or {}).items():
        setattr(incident, name, value)
    if incident.resolved_at is not None:
        incident.resolved_at = incident.changed_at
    incident.save()
    made = IncidentTransition.objects.create(
        incident=incident,
        kind=kind,
        at=incident.changed_at,
        by=actor.by,
        to=actor.to,
        comment=actor.comment,
        number=number,
        open_count=incident.open_count,
        severity=incident.severity,
        contract=incident.contract,
        until=incident.until,
    )
    # The audit trail is about people; what TMS did by itself is in the transitions.
    if actor.by is not None:
        audit.record_incident_action(made)
    instruments.INCIDENT_TRANSITIONS.labels(kind.value, incident.factor).inc()
    publish_incident(incident)


def publish_incident(incident: Incident) -> None:
    publish(Change(incidents=frozenset({incident.pk})))


def resolved_fields(at: datetime) -> dict[str, object]:
    return {"state": IncidentState.RESOLVED, "until": None, "resolved_at": at, **UNCLAIMED_FIELDS}
