"""Deletes expired rows in small transactions, run by the clock."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Model, QuerySet

from tms.accounts.models import ProviderSession, SpentToken
from tms.jobs.models import Item, Job, JobRun
from tms.lib.set_aside import each
from tms.ops.health import heartbeats
from tms.ops.models import Heartbeat, LoopSuccess
from tms.rest_base import idempotency
from tms.rollouts.models import Rollout, RolloutItem
from tms.rollouts.watching import faults
from tms.transfer.models import Import, ImportPart, ImportSource

ROWS = 1_000
"""Rows per transaction."""
BATCHES = 100
"""Transactions per table and pass."""
HEARTBEATS_RETENTION = timedelta(days=1)
SESSION_LASTS = timedelta(seconds=settings.SESSION_COOKIE_AGE)


class Purged(NamedTuple):
    name: str
    expired: Callable[[datetime], QuerySet[Model]]


PURGED = (
    Purged("sessions", lambda at: Session.objects.filter(expire_date__lt=at)),
    Purged("browsers", lambda at: UserSession.objects.filter(last_seen_at__lt=at - SESSION_LASTS)),
    Purged("provider_sessions", lambda at: ProviderSession.objects.filter(created_at__lt=at - SESSION_LASTS)),
    Purged("spent_tokens", lambda at: SpentToken.objects.filter(expires_at__lt=at)),
    Purged("answers", idempotency.expired),
    Purged("import_parts", lambda at: ImportPart.objects.filter(of__in=Import.objects.old(at))),
    Purged("imports", Import.objects.old),
    Purged("import_sources", lambda at: ImportSource.objects.filter(of__in=Import.objects.uncorrectable(at))),
    Purged("job_items", lambda at: Item.objects.filter(run__in=JobRun.objects.old(at))),
    Purged("job_runs", JobRun.objects.old),
    Purged("jobs", Job.objects.old),
    Purged("rollout_items", lambda at: RolloutItem.objects.filter(rollout__in=Rollout.objects.old(at))),
    Purged("terminal_faults", faults.expired),
    Purged(
        "writes",
        lambda at: Heartbeat.objects.filter(name__startswith=heartbeats.WRITE, at__lt=at - HEARTBEATS_RETENTION),
    ),
)


def purge(at: datetime) -> None:
    """One pass of the clock. An error of one table does not affect the others."""
    each(PURGED, lambda purged: delete(purged.expired(at)), loop="purge")


def delete(expired: QuerySet[Model]) -> int:
    """Delete in at most `BATCHES` transactions; returns how many rows."""
    deleted = 0
    for _ in range(BATCHES):
        pks = list(expired.order_by().values_list("pk", flat=True)[:ROWS])
        if not pks:
            break
        expired.model._default_manager.filter(pk__in=pks).delete()
        deleted += len(pks)
    return deleted


def purge_loops(known: Collection[str]) -> int:
    """Delete the loops of other releases, which would count as stalled."""
    deleted, _ = LoopSuccess.objects.exclude(name__in=known).delete()
    return deleted
