"""The end of the delivery history: what ended `TMS_HISTORY_DAYS` ago is deleted."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from tms.notifications.models.delivery import Delivery, DeliveryState, NotificationKind

A_DAY = timedelta(days=1)
PURGED_AT_ONCE, PURGE_BATCHES = 1_000, 100
"""Deliveries that one transaction deletes, and transactions of one pass."""


def delete_old_deliveries(at: datetime) -> None:
    """Delete the deliveries that ended more than `HISTORY_DAYS` ago; events that were sent, after a day."""
    _delete(Delivery.objects.filter(ended_at__lt=at - timedelta(days=settings.HISTORY_DAYS)))
    _delete(Delivery.objects.filter(kind=NotificationKind.EVENTS, state=DeliveryState.SENT, ended_at__lt=at - A_DAY))


def _delete(old: QuerySet[Delivery]) -> None:
    for _ in range(PURGE_BATCHES):
        pks = list(old.order_by("pk").values_list("pk", flat=True)[:PURGED_AT_ONCE])
        Delivery.objects.filter(pk__in=pks).delete()
        if len(pks) < PURGED_AT_ONCE:
            return
