"""Operator actions on an incident and all of its alerts."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from tms.accounts.models import User
from tms.alerts import lifecycle
from tms.alerts.correlation.incident_transitions import REOPENED_FIELDS, publish_incident, resolved_fields, transition
from tms.alerts.lifecycle import AlreadyResolved, NotApplicable
from tms.alerts.lifecycle.actions import with_comment
from tms.alerts.lifecycle.alert_transitions import UNCLAIMED_FIELDS, Actor
from tms.alerts.lifecycle.claims import LASTS
from tms.alerts.models.alert import Alert, AlertQuerySet, AlertState, Contract
from tms.alerts.models.incident import Incident, IncidentState
from tms.alerts.models.incident import IncidentTransitionKind as Kind

UNTOUCHED = Q(state=AlertState.OPEN, version=1)
"""Open alerts on which no person has acted."""


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
    row = _lock_unresolved(incident)
    if row.shown_state == IncidentState.ACKNOWLEDGED:
        return row
    fields = {**_responsibility_of(by, at), **_terms(contract, until), **with_comment(comment)}
    transition(row, Kind.ACKNOWLEDGED, at=at, actor=Actor(by, comment=comment), fields=fields)
    _cover(row, alerts_of(row), at)
    return row


@transaction.atomic
def change_acknowledgement(
    incident: Incident, *, by: User, comment: str, at: datetime, contract: Contract, until: datetime | None
) -> Incident:
    """Change the contract of an acknowledgement, and of the alerts that were acknowledged with it; the person stays
    responsible.
    """
    row = _lock_unresolved(incident)
    until = until if contract is Contract.TIME else None
    if row.shown_state == IncidentState.ACKNOWLEDGED and (row.contract, row.until, comment) != (contract, until, ""):
        alerts = alerts_of(row).filter(handled_with(row))
        fields = _terms(contract, until) | with_comment(comment)
        transition(row, Kind.CHANGED, at=at, actor=Actor(by, comment=comment), fields=fields)
        lifecycle.change_acknowledgement(alerts, contract=contract, until=until, by=by, comment=comment, at=at)
    return row


@transaction.atomic
def reopen(incident: Incident, *, by: User, comment: str, at: datetime) -> Incident:
    """Reopen it, with its alerts that were acknowledged or snoozed with it."""
    row = _lock_unresolved(incident)
    if row.state == IncidentState.ACKNOWLEDGED:
        alerts = alerts_of(row).filter(handled_with(row))
        transition(
            row,
            Kind.REOPENED,
            at=at,
            actor=Actor(by, comment=comment),
            fields={**REOPENED_FIELDS, **with_comment(comment)},
        )
        lifecycle.reopen(alerts, by=by, comment=comment, at=at)
    return row


@transaction.atomic
def snooze(incident: Incident, *, by: User, comment: str, at: datetime, until: datetime) -> Incident:
    """Snooze it until a time, with all of its alerts and those that join. It reopens earlier if it gets worse."""
    row = _lock_unresolved(incident)
    if (row.shown_state, row.until) != (IncidentState.SNOOZED, until):
        fields = {
            **_responsibility_of(by, at),
            "by_snooze": True,
            **_terms(Contract.TIME, until),
            **with_comment(comment),
        }
        transition(row, Kind.SNOOZED, at=at, actor=Actor(by, comment=comment), fields=fields)
        lifecycle.snooze(alerts_of(row), until=until, by=by, comment=comment, at=at)
    return row


@transaction.atomic
def restore(
    incident: Incident,
    *,
    by: User,
    comment: str,
    contract: Contract,
    until: datetime | None,
    is_snooze: bool,
    apart: Collection[int],
    at: datetime,
) -> Incident:
    """Acknowledge or snooze it again for `by`, with its open alerts other than `apart`, when another person undoes what
    ended that.

    Raises AlreadyResolved.
    """
    row = _lock_unresolved(incident)
    kind = Kind.SNOOZED if is_snooze else Kind.ACKNOWLEDGED
    fields = {**_responsibility_of(by, at), "by_snooze": is_snooze, **_terms(contract, until), **with_comment(comment)}
    transition(row, kind, at=at, actor=Actor(by, comment=comment), fields=fields)
    _cover(row, alerts_of(row).unacknowledged().exclude(pk__in=apart), at)
    return row


@transaction.atomic
def assign(incident: Incident, *, to: User, by: User, comment: str, at: datetime) -> Incident:
    """Ask `to` to acknowledge it; if it is acknowledged, make `to` responsible for it and for the alerts that were
    acknowledged with it, under the same contract.
    """
    row = _lock_unresolved(incident)
    is_acknowledged = row.shown_state == IncidentState.ACKNOWLEDGED
    column = "acknowledged_by" if is_acknowledged else "assigned_to"
    if getattr(row, f"{column}_id") != to.pk:
        alerts = alerts_of(row).filter(handled_with(row))
        fields = {column: to, **with_comment(comment)}
        transition(row, Kind.ASSIGNED, at=at, actor=Actor(by, to, comment), fields=fields)
        if is_acknowledged:
            lifecycle.assign(alerts, to=to, by=by, comment=comment, at=at)
    return row


@transaction.atomic
def resolve(incident: Incident, *, by: User, comment: str, at: datetime) -> Incident:
    """Resolve all of its alerts by hand, and so the incident, if the rules of all of them allow it."""
    row = _lock_unresolved(incident)
    if not row.may_be_resolved_by_hand:
        raise NotApplicable(row)
    lifecycle.resolve(alerts_of(row), by=by, comment=comment, at=at)
    if not alerts_of(row).exists():
        row.resolved_count = row.joined_count
        fields = {**resolved_fields(at), **with_comment(comment)}
        transition(row, Kind.RESOLVED, at=at, actor=Actor(by, comment=comment), fields=fields)
    return row


@transaction.atomic
def comment(incident: Incident, *, by: User, comment: str, at: datetime) -> Incident:
    row = _lock_unresolved(incident)
    if row.comment != comment:
        transition(row, Kind.COMMENTED, at=at, actor=Actor(by, comment=comment), fields={"comment": comment})
    return row


@transaction.atomic
def claim(incident: Incident, *, by: User, at: datetime) -> Incident:
    """Claim for `by` while it is unacknowledged, even if another person has claimed it. An own claim is renewed.

    Like a claim of an alert it expires, and prevents nothing. Its alerts are claimed separately.
    """
    row, until = _lock_unresolved(incident), at + LASTS
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
    row = _lock_unresolved(incident)
    if row.claimed_by_id is not None:
        transition(row, Kind.UNCLAIMED, at=at, actor=Actor(by), fields=UNCLAIMED_FIELDS)
    return row


def cover_new(incident: Incident, *, at: datetime) -> int:
    """Acknowledge alerts that joined, for the person responsible for the incident, unless a person already acted on
    them.

    Returns the number of alerts.
    """
    return _cover(incident, alerts_of(incident).filter(UNTOUCHED), at)


def cover_by_hand(incident: Incident, *, at: datetime) -> int:
    """The same for all unacknowledged alerts, after a person added some. Returns the number of alerts."""
    return _cover(incident, alerts_of(incident).unacknowledged(), at)


def _cover(incident: Incident, alerts: AlertQuerySet, at: datetime) -> int:
    if incident.acknowledged_by is None:
        return 0
    if incident.by_snooze and incident.until:
        return lifecycle.snooze(alerts, until=incident.until, by=incident.acknowledged_by, comment="", at=at)
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


def handled_with(incident: Incident) -> Q:
    """Alerts that were acknowledged or snoozed with it, or when they joined it, and not on their own."""
    if incident.acknowledged_at is None:
        return Q(pk__in=())
    if incident.by_snooze:
        return Q(state=AlertState.SNOOZED, until=incident.until)
    # An alert on its own may have the same person, but earlier.
    return Q(
        state=AlertState.ACKNOWLEDGED,
        acknowledged_by=incident.acknowledged_by_id,
        acknowledged_at__gte=incident.acknowledged_at,
    )


def _lock_unresolved(incident: Incident) -> Incident:
    (row,) = Incident.objects.filter(pk=incident.pk).locked().select_related("acknowledged_by")
    if row.state == IncidentState.RESOLVED:
        raise AlreadyResolved(row)
    return row


def _responsibility_of(by: User, at: datetime) -> dict[str, object]:
    """The columns of an incident that `by` acknowledged or snoozed."""
    state = {"state": IncidentState.ACKNOWLEDGED, "by_snooze": False, "acknowledged_by": by, "acknowledged_at": at}
    return {**state, "assigned_to": None, **UNCLAIMED_FIELDS}


def _terms(contract: Contract, until: datetime | None) -> dict[str, object]:
    return {"contract": contract, "until": until if contract is Contract.TIME else None}
