"""Leases of deliveries: a worker acquires one delivery of a destination at a time, and records the result.

Acquiring is a conditional update that sets a fresh `lease_id`, and so is recording. The lease of a worker that died
expires after `LEASE`; the delivery is marked a possible duplicate, since the worker may have sent it.
"""

from datetime import datetime, timedelta
from uuid import uuid4

import structlog
from django.db import transaction
from django.db.models import F, Min

from tms.accounts.audit import recorder
from tms.alerts.models import AlertState
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.lib.db.errors import is_database_away
from tms.lib.db.jobs import skip_when_empty
from tms.metrics import instruments, slo
from tms.metrics.slo import TARGET_S, Indicator
from tms.notifications.dispatch.backoff import wait_s
from tms.notifications.messages import compose
from tms.notifications.models.delivery import (
    ALARMS,
    GIVE_UP_AFTER,
    PERSONAL,
    REPORTS,
    Delivery,
    DeliveryItem,
    DeliveryState,
)
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Escalation
from tms.notifications.push.devices import remove_gone, visible_items
from tms.notifications.subjects import ALERT, INCIDENT, column, suppressed_subjects, unacknowledged_subjects
from tms.notifications.transports.result import SendOutcome, SendResult, one_line

log = structlog.get_logger(__name__)

EXAMINED = 100
"""Deliveries examined in one call; those no longer needed are withdrawn."""


def destinations_due(at: datetime) -> list[int]:
    """The destinations for which something is due, the longest waiting first."""
    rows = Delivery.objects.due(at).values("destination").annotate(first=Min("due_at")).order_by("first")
    return list(rows.values_list("destination", flat=True))


@transaction.atomic
def acquire(destination_id: int, *, at: datetime) -> Delivery | None:
    """Lease the oldest due delivery of a destination, unless another worker has a lease there.

    Deliveries of a destination are sent in order: while one is retried, later ones wait.
    """
    # The lock of the destination serialises workers, so that two cannot both find no lease there.
    Destination.objects.select_for_update().get(pk=destination_id)
    here = Delivery.objects.filter(destination=destination_id)
    if here.filter(state=DeliveryState.SENDING).exists():
        return None
    for delivery in here.due(at).select_for_update(of=("self",)).order_by("pk")[:EXAMINED]:
        # Composed once: a retry sends the same text, and its receiver can recognise the duplicate.
        if not delivery.attempts and not _is_prepared(delivery, at):
            continue
        delivery.state, delivery.lease_id, delivery.leased_at = DeliveryState.SENDING, uuid4(), at
        delivery.attempts += 1
        delivery.save(update_fields=("state", "lease_id", "leased_at", "attempts", "content"))
        return delivery
    return None


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


@skip_when_empty(Delivery.objects.lease_expired)
def reclaim_expired(at: datetime) -> int:
    """Deliveries whose lease has expired wait again. They may have arrived."""
    return Delivery.objects.lease_expired(at).update(
        state=DeliveryState.WAITING, lease_id=None, possible_duplicate=True
    )


@transaction.atomic
def send_again(delivery: Delivery, *, at: datetime) -> bool:
    """Retry a failed delivery for another day; False if it had not failed, or another process was first."""
    dead = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.DEAD, destination__deleted_at=None)
    again = dead.update(state=DeliveryState.WAITING, due_at=at, give_up_at=at + GIVE_UP_AFTER, ended_at=None)
    Destination.objects.filter(pk=delivery.destination_id).update(retry_at=None)
    if again:
        recorder.record("resent", delivery)
    return bool(again)


def _is_prepared(delivery: Delivery, at: datetime) -> bool:
    """Prepare a delivery. Returns False if it is no longer needed, or cannot be composed: it must not delay the
    others.
    """
    try:
        with transaction.atomic():
            return _prepare(delivery, at)
    except Exception as error:
        if is_database_away(error):
            raise
        log.exception("delivery_unreadable", delivery=delivery.pk)
        detail = one_line(f"TMS cannot compose this message: {type(error).__name__}")
        Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.DEAD, ended_at=at, detail=detail)
        instruments.DELIVERIES.labels(delivery.destination.kind, DeliveryState.DEAD.value).inc()
        return False


def _prepare(delivery: Delivery, at: datetime) -> bool:
    """Check and compose it before the first attempt; False if no item is left."""
    if delivery.kind in REPORTS:
        return True  # its content was made when it was decided
    items = list(delivery.items.select_related(*ALERT.related, *INCIDENT.related).order_by("pk"))
    if delivery.kind in ALARMS:
        items = _drop_unneeded(delivery, items, at)
    if delivery.destination.is_device:
        items = visible_items(delivery.destination, items)
    if delivery.kind in PERSONAL:
        items = [item for item in items if item.subject.state != AlertState.RESOLVED]
    if not items:
        delivery.state, delivery.ended_at = DeliveryState.WITHDRAWN, at
        delivery.save(update_fields=("state", "ended_at"))
        instruments.DELIVERIES.labels(delivery.destination.kind, DeliveryState.WITHDRAWN.value).inc()
        return False
    delivery.content = compose(delivery, [item.subject for item in items], at=at)
    return True


def _drop_unneeded(delivery: Delivery, items: list[DeliveryItem], at: datetime) -> list[DeliveryItem]:
    """Drop the items that are resolved, acknowledged or suppressed by now, and return the others. Escalations of
    suppressed ones may resume.
    """
    unacknowledged = unacknowledged_subjects([item.subject for item in items])
    suppressed = suppressed_subjects(unacknowledged, at=at)
    needed: list[DeliveryItem] = []
    for item in items:
        why = suppressed.get(item.subject)
        if item.subject in unacknowledged and why is None:
            needed.append(item)
            continue
        # The step was taken when the delivery was decided. It has notified nobody, so that it is taken back.
        item.delete()
        Escalation.objects.filter(**column(item.subject), policy=delivery.policy_id).update(
            next_step=delivery.step,
            due_at=why.check_again_at(at) if why else None,
            suppression=why.reason if why else "",
        )
    return needed


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
