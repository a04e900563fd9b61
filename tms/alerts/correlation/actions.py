"""Operator actions on an incident and all of its alerts."""

from datetime import datetime
from typing import Any

from django.db import transaction

from tms.accounts.models import User
from tms.alerts import lifecycle
from tms.alerts.correlation.transitions import REOPENED_FIELDS, publish_incident, transition
from tms.alerts.lifecycle import AlreadyResolved
from tms.alerts.lifecycle.actions import with_comment
from tms.alerts.lifecycle.claims import LASTS
from tms.alerts.lifecycle.transitions import UNCLAIMED_FIELDS, Actor
from tms.alerts.models.alert import Alert, AlertQuerySet, Contract
from tms.alerts.models.incident import Incident, IncidentState
from tms.alerts.models.incident import IncidentTransitionKind as Kind


@transaction.atomic
def acknowledge(
    incident: Incident,
    *,
    by: User,
    comment: str,
    at: datetime,
    contract: Contract = Contract.RECOVERY,
    until: datetime | None = None,
) -> Incident:
    """Make `by` responsible for all of its alerts, and for those that join later. Idempotent.

    Returns the current incident with the person who is responsible. Raises AlreadyResolved.
    """
    row = _unresolved(incident)
    if row.state == IncidentState.ACKNOWLEDGED:
        return row
    acknowledged = {"state": IncidentState.ACKNOWLEDGED, "acknowledged_by": by, "acknowledged_at": at}
    fields = {**acknowledged, **_terms(contract, until), **with_comment(comment), **UNCLAIMED_FIELDS}
    transition(row, Kind.ACKNOWLEDGED, at=at, actor=Actor(by, comment=comment), fields=fields)
    _cover(row, alerts_of(row), at)
    return row


@transaction.atomic
def change_acknowledgement(
    incident: Incident, *, by: User, comment: str, at: datetime, contract: Contract, until: datetime | None
) -> Incident:
    """Change the contract of an acknowledgement; the person stays responsible."""
    row = _unresolved(incident)
    until = until if contract is Contract.TIME else None
    if row.state == IncidentState.ACKNOWLEDGED and (row.contract, row.until, comment) != (contract, until, ""):
        fields = _terms(contract, until) | with_comment(comment)
        transition(row, Kind.CHANGED, at=at, actor=Actor(by, comment=comment), fields=fields)
        lifecycle.change_acknowledgement(alerts_of(row), contract=contract, until=until, by=by, comment=comment, at=at)
    return row


@transaction.atomic
def reopen(incident: Incident, *, by: User, comment: str, at: datetime) -> Incident:
    """Reopen it, with all of its acknowledged alerts."""
    row = _unresolved(incident)
    if row.state == IncidentState.ACKNOWLEDGED:
        transition(
            row,
            Kind.REOPENED,
            at=at,
            actor=Actor(by, comment=comment),
            fields={**REOPENED_FIELDS, **with_comment(comment)},
        )
        lifecycle.reopen(alerts_of(row).acknowledged(), by=by, comment=comment, at=at)
    return row


@transaction.atomic
def comment(incident: Incident, *, by: User, comment: str, at: datetime) -> Incident:
    row = _unresolved(incident)
    if row.comment != comment:
        transition(row, Kind.COMMENTED, at=at, actor=Actor(by, comment=comment), fields={"comment": comment})
    return row


@transaction.atomic
def claim(incident: Incident, *, by: User, at: datetime) -> Incident:
    """Claim for `by` while it is unacknowledged, even if another person has claimed it. An own claim is renewed.

    Like a claim of an alert it expires, and prevents nothing. Its alerts are claimed separately.
    """
    row, until = _unresolved(incident), at + LASTS
    if row.state == IncidentState.OPEN and row.claimed_by_id != by.pk:
        transition(row, Kind.CLAIMED, at=at, actor=Actor(by), fields={"claimed_by": by, "claimed_until": until})
    elif row.state == IncidentState.OPEN:
        row.claimed_until = until
        row.save(update_fields=("claimed_until",))
        publish_incident(row)
    return row


@transaction.atomic
def unclaim(incident: Incident, *, by: User, at: datetime) -> Incident:
    """Release the claim, no matter whose it is."""
    row = _unresolved(incident)
    if row.claimed_by_id is not None:
        transition(row, Kind.UNCLAIMED, at=at, actor=Actor(by), fields=UNCLAIMED_FIELDS)
    return row


def cover_new(incident: Incident, *, at: datetime) -> int:
    """Acknowledge alerts that joined, for the person responsible for the incident, unless a person already acted on
    them.

    Returns the number of alerts.
    """
    return _cover(incident, alerts_of(incident).filter(version=1), at)


def _cover(incident: Incident, alerts: AlertQuerySet, at: datetime) -> int:
    if incident.acknowledged_by is None:
        return 0
    return lifecycle.acknowledge(
        alerts,
        by=incident.acknowledged_by,
        comment=incident.comment,
        at=at,
        contract=Contract.TIME if incident.until else Contract.RECOVERY,
        until=incident.until,
    )


def alerts_of(incident: Incident) -> AlertQuerySet:
    return Alert.objects.unresolved().filter(incident=incident)


def _unresolved(incident: Incident) -> Incident:
    (row,) = Incident.objects.filter(pk=incident.pk).locked().select_related("acknowledged_by")
    if row.state == IncidentState.RESOLVED:
        raise AlreadyResolved(row)
    return row


def _terms(contract: Contract, until: datetime | None) -> dict[str, Any]:
    return {"contract": contract, "until": until if contract is Contract.TIME else None}
