"""Claims: a person looks into an alert before it is acknowledged.

A claim prevents nothing: colleagues may still acknowledge or claim, and escalation continues. It expires, so that
nobody has to end it.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from tms.accounts.models import User
from tms.alerts.lifecycle.acknowledge import lock_in_states
from tms.alerts.lifecycle.alert_transitions import UNCLAIMED_FIELDS, Actor, transition
from tms.alerts.models.alert import Alert, AlertQuerySet, AlertState
from tms.alerts.models.transition import TransitionKind
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate

LASTS = timedelta(minutes=10)
CLAIMABLE = (AlertState.OPEN,)
PASS_LIMIT = 2_000

not_ended = SetAside[int]("claims")


@transaction.atomic
def claim(alerts: AlertQuerySet, *, by: User, at: datetime) -> int:
    """Claim for `by`, even if another person has claimed it. An own claim is renewed."""
    chosen = lock_in_states(alerts, CLAIMABLE)
    claimed = [alert for alert in chosen if alert.claimed_by_id != by.pk]
    transition(
        claimed,
        TransitionKind.CLAIMED,
        at=at,
        fields={"claimed_by": by, "claimed_until": at + LASTS},
        actor=Actor(by=by),
    )
    _prolong([alert for alert in chosen if alert.claimed_by_id == by.pk and alert not in claimed], until=at + LASTS)
    return len(chosen)


@transaction.atomic
def unclaim(alerts: AlertQuerySet, *, by: User, at: datetime) -> int:
    """Release the claims, no matter whose they are."""
    claimed = lock_in_states(alerts.claimed(), CLAIMABLE)
    transition(claimed, TransitionKind.UNCLAIMED, at=at, fields=UNCLAIMED_FIELDS, actor=Actor(by=by))
    return len(claimed)


def _over(at: datetime) -> AlertQuerySet:
    """Alerts whose claim has expired (index: alert_claimed)."""
    return Alert.objects.claimed().filter(claimed_until__lte=at)


@skip_when_empty(_over)
def expire_claims(at: datetime) -> int:
    """End expired claims."""
    due = _over(at).exclude(pk__in=not_ended.keys(at)).order_by("claimed_until")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_expire_claims, at=at), aside=not_ended, at=at)


def _expire_claims(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    over = lock_in_states(Alert.objects.filter(pk__in=pks, claimed_until__lte=at), CLAIMABLE)
    transition(over, TransitionKind.UNCLAIMED, at=at, fields=UNCLAIMED_FIELDS)
    return len(over)


def _prolong(alerts: list[Alert], *, until: datetime) -> None:
    """Prolong claims without a transition, because only the end changes."""
    pks = [alert.pk for alert in alerts]
    if Alert.objects.filter(pk__in=pks, claimed_until__lt=until).update(claimed_until=until):
        publish(Change(alerts=frozenset(pks)))
