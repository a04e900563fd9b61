"""Finds or creates the boot that a report belongs to."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.telemetry.models import Boot, Report

type BootKey = tuple[int, str]
"""A terminal and the id of its boot."""


class BootRow(msgspec.Struct, gc=False):
    terminal_id: int
    boot_id: str
    first_seen_at: datetime


class Ensured(NamedTuple):
    """The primary keys of boots."""

    pks: dict[BootKey, int]
    created: frozenset[int]
    """The boots among `pks` that did not exist before, and so have no reports."""


def ensure(keys: Collection[BootKey], *, at: datetime) -> Ensured:
    """Find these boots, and create the missing ones."""
    known, created = _find(keys, at=at), dict[BootKey, int]()
    if missing := set(keys) - known.keys():
        created = _insert(missing, at=at)
        known |= created
    if missing := set(keys) - known.keys():
        known |= _find(missing, at=at)  # another process was first
    return Ensured(known, frozenset(created.values()))


def highest_seqs(boot_pks: Collection[int]) -> dict[int, int]:
    """The highest committed `seq` of each boot that has reports (index: the primary key of reports)."""
    if not boot_pks:
        return {}
    return {pk: seq for pk, seq in prepared.run(*newest(boot_pks)) if seq is not None}


def newest(boot_pks: Collection[int]) -> tuple[str, list[object]]:
    """MAX with GROUP BY would read a boot's whole history, and after a deployment all terminals reconnect at once."""
    chosen, keys = db_rows.any_of("b.id", boot_pks)
    last = f"SELECT seq FROM {Report._meta.db_table} WHERE boot_id = b.id ORDER BY seq DESC LIMIT 1"
    return f"SELECT b.id, ({last}) FROM {Boot._meta.db_table} AS b WHERE {chosen}", keys


def _find(keys: Collection[BootKey], *, at: datetime) -> dict[BootKey, int]:
    among, ids = db_rows.among("b.terminal_id", (terminal_id for terminal_id, _ in keys))
    return _execute(
        f"SELECT b.terminal_id, b.boot_id, b.id FROM {db_rows.source(BootRow)} "
        f"JOIN {Boot._meta.db_table} AS b ON b.terminal_id = r.terminal_id AND b.boot_id = r.boot_id WHERE true{among}",
        keys,
        at,
        ids,
    )


def _insert(keys: Collection[BootKey], *, at: datetime) -> dict[BootKey, int]:
    """Insert boots and return their keys. Those that another transaction inserts at the same time are missing."""
    return _execute(
        f"INSERT INTO {Boot._meta.db_table} (terminal_id, boot_id, first_seen_at) "
        f"SELECT terminal_id, boot_id, first_seen_at FROM {db_rows.source(BootRow)} WHERE true "
        "ON CONFLICT DO NOTHING RETURNING terminal_id, boot_id, id",
        keys,
        at,
        [],
    )


def _execute(sql: str, keys: Iterable[BootKey], at: datetime, params: Iterable[list[int]]) -> dict[BootKey, int]:
    rows = [BootRow(terminal_id, boot_id, at) for terminal_id, boot_id in keys]
    found = prepared.run(sql, [db_rows.encode(rows), *params])
    return {(terminal_id, boot_id): pk for terminal_id, boot_id, pk in found}
