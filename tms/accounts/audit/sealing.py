"""Appends committed entries to the hash chain, run by the clock about once a second.

A change writes its entry without a hash, so that changes wait neither for each other nor for the chain. An entry that
is committed late is appended late: the order of the chain is the order of sealing, not that of the primary keys.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db import connection, transaction

from tms.accounts.audit.chain import HASHED, hash_of
from tms.accounts.models.audit_chain import AuditDay
from tms.accounts.models.audit_entry import AuditEntry
from tms.lib.db import rows as db_rows
from tms.lib.db.jobs import skip_when_empty

PASS_LIMIT = 1_000


class Seal(msgspec.Struct, frozen=True, gc=False):
    id: int
    number: int
    hash: str


@skip_when_empty(AuditEntry.objects.unsealed)
def seal(at: datetime) -> int:
    """Seal the oldest unsealed entries; returns how many."""
    with transaction.atomic():
        # Locked before the entries are read: a second process would otherwise give them another place.
        day = _open_day(local_day(at))
        entries = AuditEntry.objects.unsealed().order_by("pk").values_list("pk", *HASHED)[:PASS_LIMIT]
        seals = _chain(day, list(entries))
        _write(seals)
    return len(seals)


def local_day(at: datetime) -> date:
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _open_day(day: date) -> AuditDay:
    """The last day, locked; a new one from midnight on. Days never go back, even if the time zone is changed."""
    last = AuditDay.objects.select_for_update().latest_day()
    if last is not None and last.day >= day:
        return last
    number, digest = (last.next_number, last.last_hash) if last else (1, "")
    return AuditDay.objects.create(day=day, first_number=number, previous_hash=digest, last_hash=digest)


def _chain(day: AuditDay, entries: Sequence[tuple[Any, ...]]) -> list[Seal]:
    """The seals of `entries` as the next ones of `day`, which is saved."""
    digest, seals = day.last_hash, []
    for number, (pk, *values) in enumerate(entries, day.next_number):
        digest = hash_of(digest, pk, number, values)
        seals.append(Seal(pk, number, digest))
    day.entries, day.last_hash = day.entries + len(seals), digest
    day.save(update_fields=("entries", "last_hash"))
    return seals


def _write(seals: Sequence[Seal]) -> None:
    table = AuditEntry._meta.db_table
    sql = f"UPDATE {table} AS e SET number = r.number, hash = r.hash FROM {db_rows.source(Seal)} WHERE e.id = r.id"
    with connection.cursor() as cursor:
        cursor.execute(sql, [db_rows.encode(seals)])
