"""The end of the delivery history: what ended `TMS_HISTORY_DAYS` ago is deleted."""

from datetime import datetime, timedelta

from django.conf import settings

from tms.notifications.models.delivery import Delivery

PURGED_AT_ONCE, PURGE_BATCHES = 1_000, 100
"""Deliveries that one transaction deletes, and transactions of one pass."""


def delete_old_deliveries(at: datetime) -> None:
    """Delete the deliveries that ended more than `HISTORY_DAYS` ago."""
    old = Delivery.objects.filter(ended_at__lt=at - timedelta(days=settings.HISTORY_DAYS)).order_by("pk")
    for _ in range(PURGE_BATCHES):
        pks = list(old.values_list("pk", flat=True)[:PURGED_AT_ONCE])
        Delivery.objects.filter(pk__in=pks).delete()
        if len(pks) < PURGED_AT_ONCE:
            return
