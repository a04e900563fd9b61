"""Deletes rows older than the retention: partitions as a whole, other rows in small transactions per terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q

from tms.fleet.models import IdentityChange, PresenceChange, Terminal
from tms.fleet.models.outage import Outage
from tms.fleet.terminals.lifecycle_changes import BRING_BACK_WITHIN
from tms.lib.set_aside import each
from tms.telemetry.models import Boot, Event, LateHour, Report, Rollup
from tms.telemetry.storage import partitions
from tms.telemetry.storage.partitions import REPORTS, ROLLUPS

TERMINALS = 500
"""Terminals per chunk."""
ROWS = 5_000
"""Rows per transaction."""

type Old = models.QuerySet[models.Model]


def retire(at: datetime) -> int:
    """Delete expired rows; returns how many. `partitions.maintain` drops the partitions."""
    deleted = 0

    def delete(old: Old | partitions.Partitioned) -> None:
        nonlocal deleted
        deleted += _delete_default_rows(old, at) if isinstance(old, partitions.Partitioned) else _delete(old)

    each(_all_old(at), delete, loop="retention")
    return deleted


def _all_old(at: datetime) -> Iterator[Old | partitions.Partitioned]:
    if connection.vendor == "postgresql":
        yield from partitions.TABLES
    for terminal_pks in _chunks():
        yield from _expired(terminal_pks, at)


def history_horizon(at: datetime) -> datetime:
    return partitions.day(at - timedelta(days=settings.HISTORY_DAYS))


def _expired(terminal_pks: Sequence[int], at: datetime) -> Iterator[Old]:
    """Each queryset uses an index that begins with the terminal."""
    history = history_horizon(at)
    yield Event.objects.filter(terminal__in=terminal_pks, at__lt=history)
    yield PresenceChange.objects.filter(terminal__in=terminal_pks, at__lt=history)
    yield IdentityChange.objects.filter(terminal__in=terminal_pks, at__lt=min(history, at - BRING_BACK_WITHIN))
    yield Outage.objects.filter(terminal__in=terminal_pks, ended_at__lt=history)
    yield _ended_boots(terminal_pks, history)
    yield LateHour.objects.filter(terminal__in=terminal_pks, hour__lt=REPORTS.horizon(at))
    if connection.vendor != "postgresql":
        yield _old_reports(terminal_pks, at)
        yield Rollup.objects.filter(terminal__in=terminal_pks, hour__lt=ROLLUPS.horizon(at))


def _ended_boots(terminal_pks: Sequence[int], history: datetime) -> Old:
    """A boot ends when the next one begins; the current one never expires."""
    since = Boot.objects.filter(terminal=OuterRef("terminal"), pk__gt=OuterRef("pk"), first_seen_at__lt=history)
    reports = Report.objects.filter(boot=OuterRef("pk"))
    began = Boot.objects.filter(terminal__in=terminal_pks, first_seen_at__lt=history)
    return began.filter(Exists(since), ~Exists(reports))


def _old_reports(terminal_pks: Sequence[int], at: datetime) -> Old:
    """The old reports of these terminals. As in the default partition, the retention of one with an implausible instant
    counts from its arrival.
    """
    horizon, ahead = REPORTS.horizon(at), REPORTS.upcoming(at)[-1]
    instants = Q(at__lt=horizon) | Q(at__gt=ahead)
    return Report.objects.filter(instants, terminal__in=terminal_pks, received_at__lt=horizon)


def _chunks() -> Iterator[list[int]]:
    reached = 0
    while pks := list(Terminal.objects.filter(pk__gt=reached).order_by("pk").values_list("pk", flat=True)[:TERMINALS]):
        yield pks
        reached = pks[-1]


def _delete_default_rows(parent: partitions.Partitioned, at: datetime) -> int:
    deleted = 0
    while number := partitions.expire_default_rows(parent, at):
        deleted += number
    return deleted


def _delete(old: Old) -> int:
    deleted = 0
    while True:
        number, _ = old.model._default_manager.filter(pk__in=old.values("pk")[:ROWS]).delete()
        deleted += number
        if number < ROWS:
            return deleted
