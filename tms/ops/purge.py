"""Rows that nobody needs any more, deleted by the clock in small transactions (R43)."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from tms.lib.set_aside import each
from tms.ops.health import heartbeats
from tms.ops.models import Heartbeat, LoopSuccess
from tms.rest import idempotency

ROWS = 1_000
"""Deleted in one transaction."""
BATCHES = 100
"""Of one table in one pass; the next pass goes on."""
GUESSES_KEPT = timedelta(days=1)
"""Of former releases: they counted wrong passwords in these tables."""
HEARTBEATS_KEPT = timedelta(days=1)


class Purged(NamedTuple):
    name: str
    expired: Callable[[datetime], QuerySet[Any]]


PURGED = (
    Purged("sessions", lambda at: Session.objects.filter(expire_date__lt=at)),
    Purged("answers", idempotency.expired),
    Purged("guesses", lambda at: AccessAttempt.objects.filter(attempt_time__lt=at - GUESSES_KEPT)),
    Purged("failures", lambda at: AccessFailureLog.objects.filter(attempt_time__lt=at - GUESSES_KEPT)),
    Purged(
        "sign_ins", lambda at: AccessLog.objects.filter(attempt_time__lt=at - timedelta(days=settings.HISTORY_DAYS))
    ),
    Purged(
        "writes", lambda at: Heartbeat.objects.filter(name__startswith=heartbeats.WRITE, at__lt=at - HEARTBEATS_KEPT)
    ),
)


def purge(at: datetime) -> None:
    """One pass of the clock. A table that fails keeps no other from being purged."""
    each(PURGED, lambda purged: delete(purged.expired(at)), loop="purge")


def delete(expired: QuerySet[Any]) -> int:
    """At most `BATCHES` transactions; how many rows went."""
    deleted = 0
    for _ in range(BATCHES):
        pks = list(expired.order_by().values_list("pk", flat=True)[:ROWS])
        if not pks:
            break
        expired.model._default_manager.filter(pk__in=pks).delete()
        deleted += len(pks)
    return deleted


def purge_loops(known: Collection[str]) -> int:
    """A loop that this release does not have is not stalled."""
    deleted, _ = LoopSuccess.objects.exclude(name__in=known).delete()
    return deleted
