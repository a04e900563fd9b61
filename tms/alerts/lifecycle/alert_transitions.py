"""Writes a transition of alerts: the rows, their history, the metric, and the change for boards."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.db.models.functions import Coalesce, Greatest

from tms.accounts.models import User
from tms.alerts import audit
from tms.alerts.models.alert import Alert, AlertState
from tms.alerts.models.transition import Transition, TransitionKind
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.metrics import instruments


class Actor(NamedTuple):
    """Who did it (None is TMS itself), to whom, and with which comment."""

    by: User | None = None
    to: User | None = None
    comment: str = ""


SYSTEM = Actor()
UNCLAIMED_FIELDS: Mapping[str, object] = {"claimed_by": None, "claimed_until": None}
REOPENED_FIELDS: Mapping[str, object] = {
    "state": AlertState.OPEN,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "contract": "",
    "until": None,
    "remind_at": None,
    "is_stale": False,
    **UNCLAIMED_FIELDS,
}
"""The columns of an alert that is neither acknowledged nor snoozed."""


def transition(
    alerts: Sequence[Alert],
    kind: TransitionKind,
    *,
    at: datetime,
    fields: Mapping[str, object] | None = None,
    stamp: str = "",
    actor: Actor = SYSTEM,
    before: str = "",
) -> None:
    """Write one transition with `fields` to each of `alerts`, which the caller has locked.

    The column `stamp` gets the instant of the transition, which is never before the previous one. A reminder names the
    person responsible.
    """
    if not alerts:
        return
    instant = Greatest(models.Value(at), models.F("changed_at"))
    grown = int(kind.traits.is_decision)
    columns = {**(fields or {}), "changed_at": instant, "version": models.F("version") + grown}
    if kind is TransitionKind.ACKNOWLEDGED:
        columns["first_acknowledged_at"] = Coalesce("first_acknowledged_at", instant)
    if stamp:
        columns[stamp] = instant
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(**columns)
    # The rows in memory get what the statement wrote. Nobody else can change them: the caller holds their locks.
    for alert in alerts:
        alert.changed_at = max(at, alert.changed_at)
        alert.version += grown
        for name, value in (fields or {}).items():
            setattr(alert, name, value)
        if stamp:
            setattr(alert, stamp, alert.changed_at)
    record_transition(alerts, kind, actor=actor, before=before)


def record_transition(
    alerts: Sequence[Alert],
    kind: TransitionKind,
    *,
    actor: Actor = SYSTEM,
    before: str = "",
) -> None:
    """Record a transition of `alerts` with their current values."""
    if not alerts:
        return
    is_reminder = kind is TransitionKind.REMINDED
    to_id = actor.to.pk if actor.to else None
    made = Transition.objects.bulk_create(
        Transition(
            alert=alert,
            kind=kind,
            at=alert.changed_at,
            by=actor.by,
            to_id=alert.acknowledged_by_id if is_reminder else to_id,
            comment=actor.comment,
            severity=alert.severity,
            before=before,
            value=alert.value,
            contract=alert.contract,
            until=alert.until,
        )
        for alert in alerts
    )
    if actor.by is not None:
        audit.record_action(made, to=actor.to)
    for severity, number in Counter(alert.severity for alert in alerts).items():
        instruments.ALERT_TRANSITIONS.labels(kind.value, severity).inc(number)
    changed = frozenset(alert.pk for alert in alerts)
    publish(Change(alerts=changed, terminals=frozenset(alert.terminal_id for alert in alerts)))
