"""How a step in the life of alerts is written: the rows, their history, the count, and word to everyone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models
from django.db.models.functions import Coalesce, Greatest

from tms.accounts.models import User
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
UNCLAIMED_FIELDS: Mapping[str, Any] = {"claimed_by": None, "claimed_until": None}
REOPENED_FIELDS: Mapping[str, Any] = {
    "state": AlertState.OPEN,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "contract": "",
    "until": None,
    "remind_at": None,
    "is_stale": False,
    **UNCLAIMED_FIELDS,
}
"""Nobody has it any more, and nobody has put it off."""


def transition(
    alerts: Sequence[Alert],
    kind: TransitionKind,
    *,
    at: datetime,
    fields: Mapping[str, Any] | None = None,
    stamp: str = "",
    actor: Actor = SYSTEM,
    before: str = "",
) -> None:
    """Write `fields` into the rows of `alerts`, which the caller has locked, as one step of each.

    The column `stamp` gets the instant of the step, which is never before that of the step before. A reminder is for
    whoever has the alert.
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
    """Keep that `alerts`, as they are now, took this step."""
    if not alerts:
        return
    is_reminder = kind is TransitionKind.REMINDED
    to_id = actor.to.pk if actor.to else None
    Transition.objects.bulk_create(
        Transition(
            alert=alert,
            kind=kind,
            at=alert.changed_at,
            by=actor.by,
            to_id=alert.acknowledged_by_id if is_reminder else to_id,
            comment=actor.comment,
            severity=alert.severity,
            before=before,
            contract=alert.contract,
            until=alert.until,
        )
        for alert in alerts
    )
    for severity, number in Counter(alert.severity for alert in alerts).items():
        instruments.ALERT_TRANSITIONS.labels(kind.value, severity).inc(number)
    changed = frozenset(alert.pk for alert in alerts)
    publish(Change(alerts=changed, terminals=frozenset(alert.terminal_id for alert in alerts)))
