"""What terminals report of themselves at boot: stored and recorded if it differs from before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.db import connection
from django.db.models import Window
from django.db.models.functions import RowNumber

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.identity import history
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import IdentityChange, IdentitySource, Terminal
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows

REPORTED = ("serial", "model", "firmware", "agent")
DAY = timedelta(days=1)
MAX_A_DAY = 50
"""Changes of a terminal that its boots reported within a day."""


class BootFacts(msgspec.Struct, frozen=True, gc=False):
    """What a terminal reported of itself at boot; empty texts keep the stored value."""

    terminal_id: int
    serial: str
    model: str
    firmware: str
    agent: str
    address: str | None


class ChangedBoot(NamedTuple):
    """A boot that differs from what was stored."""

    facts: BootFacts
    serial_before: str
    is_first: bool
    """The terminal was planned, and is in service from now on."""


def record(boots: Sequence[BootFacts], *, at: datetime) -> list[ChangedBoot]:
    """Store the facts of these boots, one for each terminal. Returns those that changed anything.

    Most boots change nothing, and cost one query. Call it in the transaction that locks the link states.
    """
    if not boots:
        return []
    among, keys = db_rows.among("t.id", (boot.terminal_id for boot in boots))
    stored = {row[0]: row[1:] for row in prepared.run(_changed_sql() + among, [db_rows.encode(boots), *keys])}
    changed = [boot for boot in boots if boot.terminal_id in stored]
    if not changed:
        return []
    among, keys = db_rows.among("t.id", stored)
    prepared.run(_update_sql() + among, [db_rows.instant(at), db_rows.encode(changed), *keys])
    found = [_compare(boot, stored[boot.terminal_id], at) for boot in changed]
    changes = IdentityChange.objects.bulk_create([row for _, rows in found for row in rows])
    history.notify(changes)
    _drop_oldest(list(stored), at=at)
    if any(boot.is_first for boot, _ in found):
        publish(Change(rules=True))  # its rules apply from now on; ingest publishes that it is online
    return [boot for boot, _ in found]


def _drop_oldest(terminals: Sequence[int], *, at: datetime) -> None:
    """Keep the newest changes of a day: a terminal with another firmware at each boot must not fill the table."""
    row = Window(RowNumber(), partition_by="terminal", order_by=("-at", "-pk"))
    of_today = IdentityChange.objects.filter(
        terminal__in=terminals, at__gt=at - DAY, source=IdentitySource.BOOT, field__in=REPORTED
    )
    surplus = list(of_today.annotate(row=row).filter(row__gt=MAX_A_DAY).order_by().values_list("pk", flat=True))
    if surplus:
        IdentityChange.objects.filter(pk__in=surplus).delete()


def _compare(boot: BootFacts, before: Sequence[str], at: datetime) -> tuple[ChangedBoot, list[IdentityChange]]:
    *texts, lifecycle = before
    values = [(name, old, getattr(boot, name)) for name, old in zip(REPORTED, texts, strict=True)]
    is_first = lifecycle == Lifecycle.PLANNED
    if is_first:
        values.append(("lifecycle", lifecycle, Lifecycle.IN_SERVICE.value))
    rows = [
        IdentityChange(
            terminal_id=boot.terminal_id, at=at, field=name, before=old, after=new, source=IdentitySource.BOOT
        )
        for name, old, new in values
        if new and new != old
    ]
    return ChangedBoot(boot, texts[0], is_first), rows


def _columns() -> tuple[dict[str, str], str]:
    """The new value of each column, and the condition that one of them differs."""
    is_postgresql = connection.vendor == "postgresql"
    address, differs = ("CAST(r.address AS inet)", "IS DISTINCT FROM") if is_postgresql else ("r.address", "IS NOT")
    columns = {name: f"COALESCE(NULLIF(r.{name}, ''), t.{name})" for name in REPORTED} | {"address": address}
    different = " OR ".join(f"t.{name} {differs} {new}" for name, new in columns.items())
    return columns, f"({different} OR t.lifecycle = '{Lifecycle.PLANNED}')"


def _changed_sql() -> str:
    _, differs = _columns()
    picked = ", ".join(f"t.{name}" for name in ("id", *REPORTED, "lifecycle"))
    return (
        f"SELECT {picked} FROM {Terminal._meta.db_table} AS t, {db_rows.source(BootFacts)} "
        f"WHERE t.id = r.terminal_id AND {differs}"
    )


def _update_sql() -> str:
    columns, _ = _columns()
    is_first = f"t.lifecycle = '{Lifecycle.PLANNED}'"
    columns |= {
        "lifecycle_at": f"CASE WHEN {is_first} THEN %s ELSE t.lifecycle_at END",
        "lifecycle": f"CASE WHEN {is_first} THEN '{Lifecycle.IN_SERVICE}' ELSE t.lifecycle END",
    }
    return (
        f"UPDATE {Terminal._meta.db_table} AS t SET {', '.join(f'{name} = {new}' for name, new in columns.items())} "
        f"FROM {db_rows.source(BootFacts)} WHERE t.id = r.terminal_id"
    )
