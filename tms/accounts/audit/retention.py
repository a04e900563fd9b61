"""Deletes the oldest days of the audit trail, after `TMS_AUDIT_DAYS`.

Whole days, and their rows in `AuditDay` stay: the chain of the first day that is kept still begins with a known hash.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.audit.sealing import local_day
from tms.accounts.models.audit_chain import AuditDay
from tms.accounts.models.audit_entry import AuditEntry

ROWS = 1_000
"""Entries per transaction."""
BATCHES = 100
"""Transactions per pass."""


def purge(at: datetime) -> int:
    """Delete entries of days that are over; returns how many. At most `BATCHES` transactions."""
    for day in AuditDay.objects.not_purged().filter(day__lt=local_day(at) - timedelta(days=settings.AUDIT_DAYS)):
        _mark(day, at)
    last = AuditDay.objects.exclude(purged_at=None).order_by("-day").first()
    return _delete_until(last.next_number) if last else 0


def _mark(day: AuditDay, at: datetime) -> None:
    """Mark the day before its entries are deleted: verification must not take a purge that is under way for a
    deletion.
    """
    with transaction.atomic():
        AuditDay.objects.filter(pk=day.pk).update(purged_at=at)
        recorder.record("purged", day, {"entries": (day.entries, 0), "hash": (day.last_hash, None)})


def _delete_until(number: int) -> int:
    deleted = 0
    for _ in range(BATCHES):
        # Ascending, because rows at the end of the index are needed.
        oldest = AuditEntry.objects.filter(number__lt=number).order_by("number")
        pks = list(oldest.values_list("pk", flat=True)[:ROWS])
        if not pks:
            break
        deleted += AuditEntry.objects.filter(pk__in=pks).delete()[0]
    return deleted
