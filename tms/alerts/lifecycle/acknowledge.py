"""Acknowledging alerts: a person is responsible until the contract ends."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction

from tms.accounts.models import User
from tms.alerts.lifecycle.alert_transitions import UNCLAIMED_FIELDS, Actor, transition
from tms.alerts.models.alert import Alert, AlertState, Contract
from tms.alerts.models.transition import TransitionKind

UNACKNOWLEDGED = (AlertState.OPEN, AlertState.SNOOZED)
"""States in which nobody is responsible."""


@transaction.atomic
def acknowledge(
    alerts: models.QuerySet[Alert],
    *,
    by: User,
    comment: str,
    at: datetime,
    contract: Contract = Contract.RECOVERY,
    until: datetime | None = None,
) -> int:
    """Make `by` responsible for the unacknowledged ones of `alerts` until `contract` ends. Idempotent.

    Returns how many.
    """
    changed = lock_in_states(alerts, UNACKNOWLEDGED)
    fields = {
        "state": AlertState.ACKNOWLEDGED,
        "acknowledged_by": by,
        "assigned_to": None,
        "comment": comment,
        **UNCLAIMED_FIELDS,
        **terms(contract, until, at=at),
    }
    transition(
        changed,
        TransitionKind.ACKNOWLEDGED,
        at=at,
        fields=fields,
        stamp="acknowledged_at",
        actor=Actor(by, comment=comment),
    )
    return len(changed)


def lock_in_states(alerts: models.QuerySet[Alert], states: Collection[AlertState]) -> list[Alert]:
    """The `alerts` in one of `states`, locked until the transaction ends.

    A row that another transaction holds is being acknowledged or resolved right now: it is skipped.
    """
    rows = alerts.filter(state__in=states).order_by("pk")
    return list(rows.select_for_update(skip_locked=True, of=("self",)))


def terms(contract: Contract, until: datetime | None, *, at: datetime) -> dict[str, object]:
    """The columns of a contract made `at`. With a chosen end there is no reminder before it."""
    is_timed = contract is Contract.TIME
    return {
        "contract": contract,
        "until": until if is_timed else None,
        "remind_at": None if is_timed else reminder(at),
        "is_stale": False,
    }


def reminder(at: datetime) -> datetime | None:
    """When to send the reminder for an alert whose last update was `at`."""
    return at + timedelta(seconds=settings.STALE_AFTER_S) if settings.STALE_AFTER_S else None
