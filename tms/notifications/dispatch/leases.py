"""Leases of deliveries: a worker acquires one delivery of a destination at a time.

Acquiring is a conditional update that sets a fresh `lease_id`, and so is recording the result. The lease of a worker
that died expires after `LEASE`; the delivery is marked a possible duplicate, since the worker may have sent it.
"""

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Min

from tms.accounts.audit import recorder
from tms.lib.db.jobs import skip_when_empty
from tms.notifications.dispatch.prepare import is_prepared
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, DeliveryState
from tms.notifications.models.destination import Destination

MAX_EXAMINED = 100
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
    for delivery in here.due(at).select_for_update(of=("self",)).order_by("pk")[:MAX_EXAMINED]:
        # Composed once: a retry sends the same text, and its receiver can recognise the duplicate.
        if not delivery.attempts and not is_prepared(delivery, at):
            continue
        delivery.state, delivery.lease_id, delivery.leased_at = DeliveryState.SENDING, uuid4(), at
        delivery.attempts += 1
        delivery.save(update_fields=("state", "lease_id", "leased_at", "attempts", "content"))
        return delivery
    return None


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
