"""People take charge of alerts."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models, transaction

from tms.accounts.models import User
from tms.alerts.lifecycle.transitions import UNCLAIMED_FIELDS, Actor, transition
from tms.alerts.models.alert import Alert, AlertState, Contract
from tms.alerts.models.incident import Incident
from tms.alerts.models.transition import TransitionKind

UNACKNOWLEDGED = (AlertState.OPEN, AlertState.SNOOZED)
"""States in which nobody has the alert."""


class AlreadyResolved(Exception):
    """The recovery came before the acknowledgement, of an alert or of an incident."""

    code = "tms:already-resolved"

    def __init__(self, row: Alert | Incident) -> None:
        super().__init__(f"{row._meta.model_name} {row.pk} was resolved at {row.resolved_at}")


class ChangedMeanwhile(Exception):
    """It is not any more what the person saw who decided about it."""

    code = "tms:changed-meanwhile"

    def __init__(self, row: Alert | Incident) -> None:
        super().__init__(f"{row._meta.model_name} {row.pk} has changed to version {row.version}")


class Taken(NamedTuple):
    alert: Alert
    first: bool
    """False when someone had acknowledged it before; `alert` then tells who."""


@transaction.atomic
def acknowledge(
    alert: Alert,
    *,
    by: User,
    comment: str,
    at: datetime,
    contract: Contract = Contract.RECOVERY,
    until: datetime | None = None,
    version: int | None = None,
) -> Taken:
    """Take charge of `alert` until `contract` ends. A second acknowledgement changes nothing and tells who was first.

    Raises AlreadyResolved when the recovery came first, and ChangedMeanwhile when nobody has it, but it got worse, say,
    since the person saw its `version`.
    """
    (row,) = Alert.objects.filter(pk=alert.pk).select_for_update(of=("self",))
    if row.state == AlertState.RESOLVED:
        raise AlreadyResolved(row)
    if row.state not in UNACKNOWLEDGED:
        return Taken(row, first=False)
    if version not in (None, row.version):
        raise ChangedMeanwhile(row)
    _acknowledge([row], by=by, comment=comment, at=at, contract=contract, until=until)
    return Taken(row, first=True)


@transaction.atomic
def acknowledge_all(
    alerts: models.QuerySet[Alert],
    *,
    by: User,
    comment: str,
    at: datetime,
    contract: Contract = Contract.RECOVERY,
    until: datetime | None = None,
) -> int:
    """Take charge of those of `alerts` that nobody has; how many they were. To do it again changes nothing."""
    taken = lock_in_states(alerts, UNACKNOWLEDGED)
    _acknowledge(taken, by=by, comment=comment, at=at, contract=contract, until=until)
    return len(taken)


def lock_in_states(alerts: models.QuerySet[Alert], states: Collection[AlertState]) -> list[Alert]:
    """Those of `alerts` in one of `states`, locked until the transaction ends.

    A row that another transaction holds is being taken or resolved this very moment: it is left to whoever has it.
    """
    rows = alerts.filter(state__in=states).order_by("pk")
    return list(rows.select_for_update(skip_locked=True, of=("self",)))


def terms(contract: Contract, until: datetime | None, *, at: datetime) -> dict[str, Any]:
    """The columns that keep a contract made `at`. Whoever named a time is not reminded before it."""
    is_timed = contract is Contract.TIME
    return {
        "contract": contract,
        "until": until if is_timed else None,
        "remind_at": None if is_timed else reminder(at),
        "is_stale": False,
    }


def reminder(at: datetime) -> datetime | None:
    """When whoever has an alert is reminded, having last been heard of `at`."""
    return at + timedelta(seconds=settings.STALE_AFTER_S) if settings.STALE_AFTER_S else None


def _acknowledge(
    alerts: list[Alert], *, by: User, comment: str, at: datetime, contract: Contract, until: datetime | None
) -> None:
    fields = {
        "state": AlertState.ACKNOWLEDGED,
        "acknowledged_by": by,
        "assigned_to": None,
        "comment": comment,
        **UNCLAIMED_FIELDS,
        **terms(contract, until, at=at),
    }
    transition(
        alerts,
        TransitionKind.ACKNOWLEDGED,
        at=at,
        fields=fields,
        stamp="acknowledged_at",
        actor=Actor(by, comment=comment),
    )
