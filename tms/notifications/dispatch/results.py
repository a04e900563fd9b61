"""Results of attempts: the state of the delivery afterwards, when its destination is tried again, and the metrics."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.metrics import instruments, slo
from tms.metrics.slo import TARGET_S, Indicator
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.models.destination import Destination
from tms.notifications.push.browsers import remove_gone
from tms.notifications.transports.result import SendOutcome, SendResult

FIRST_WAIT_S, MAX_WAIT_S = 2.0, 900.0
MAX_OBEYED_S = 6 * 3600.0
"""Limit for a `Retry-After`."""


@transaction.atomic
def record_result(delivery: Delivery, result: SendResult, *, at: datetime) -> bool:
    """Record the result of the attempt. Returns whether the next may follow at once. A lost lease changes nothing."""
    state = _state(delivery, result, at)
    # A lease that expired meanwhile was given to another worker, whose result counts.
    ended = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING, lease_id=delivery.lease_id).update(
        state=state,
        lease_id=None,
        detail=result.explained,
        reference=result.reference,
        possible_duplicate=delivery.possible_duplicate or result.possibly_delivered,
        ended_at=None if state == DeliveryState.WAITING else at,
    )
    if not ended:
        return False
    _judge_destination(delivery.destination_id, result, at)
    if result.is_gone:
        remove_gone(delivery.destination, at=at)
    _count(delivery, state, at)
    return state != DeliveryState.WAITING


def _state(delivery: Delivery, result: SendResult, at: datetime) -> DeliveryState:
    if result.outcome is SendOutcome.DELIVERED:
        return DeliveryState.SENT
    if result.outcome is SendOutcome.FAILED or at >= delivery.give_up_at:
        return DeliveryState.DEAD
    return DeliveryState.WAITING


def _judge_destination(pk: int, result: SendResult, at: datetime) -> None:
    """One without a result is left alone for a while, with everything that waits for it."""
    destinations = Destination.objects.filter(pk=pk)
    if result.outcome is not SendOutcome.RETRY:
        destinations.exclude(failures=0, retry_at=None).update(failures=0, retry_at=None)
        return
    destinations.update(failures=F("failures") + 1)
    failures = destinations.values_list("failures", flat=True).get()
    pause = timedelta(seconds=wait_s(failures, retry_after_s=result.retry_after_s))
    destinations.update(retry_at=at + pause)


def _count(delivery: Delivery, state: DeliveryState, at: datetime) -> None:
    outcome = "retried" if state == DeliveryState.WAITING else state.value
    instruments.DELIVERIES.labels(delivery.destination.kind, outcome).inc()
    if state == DeliveryState.SENT and delivery.happened_at is not None:
        seconds = (at - delivery.happened_at).total_seconds()
        instruments.NOTIFICATION_SECONDS.observe(max(0.0, seconds))
        group_wait_s = (delivery.due_at - delivery.created_at).total_seconds()
        slo.observe(Indicator.NOTIFICATION, seconds, target_s=TARGET_S[Indicator.NOTIFICATION] + group_wait_s)
    pairs = list(delivery.items.values_list("alert", "incident"))
    publish(Change(alerts=frozenset(pk for pk, _ in pairs if pk), incidents=frozenset(pk for _, pk in pairs if pk)))


def wait_s(
    failures: int, *, retry_after_s: float | None = None, between: Callable[[float, float], float] = random.uniform
) -> float:
    """Delay after consecutive failures of a destination: doubled each time, with jitter, at least the `Retry-After`."""
    most = min(MAX_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 16))
    return max(between(most / 2, most), min(retry_after_s or 0.0, MAX_OBEYED_S))
