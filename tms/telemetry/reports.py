"""Which reports are stored."""

from collections.abc import Collection

import msgspec
from django.db import connection

from tms.lib.db import rows
from tms.telemetry.models import Report

type ReportKey = tuple[int, int]
"""A boot and the number of a report of it."""


class KeyRow(msgspec.Struct, frozen=True, gc=False):
    boot_id: int
    seq: int


def stored(keys: Collection[ReportKey]) -> set[ReportKey]:
    """The `keys` that are stored, at any instant: one probe of the key of each partition for each of them."""
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.boot_id, r.seq FROM {rows.source(KeyRow)} "
            f"WHERE EXISTS (SELECT 1 FROM {Report._meta.db_table} k WHERE k.boot_id = r.boot_id AND k.seq = r.seq)",
            [rows.encode([KeyRow(*key) for key in keys])],
        )
        return set(cursor.fetchall())
