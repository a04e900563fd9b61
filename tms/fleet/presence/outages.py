"""Records outages of terminals: they begin when the link is lost, and get their cause when the terminal returns.

The caller holds the row locks of their states (`tms.fleet.presence.store`), so each has at most one open outage.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from django.db import connection

from tms.fleet.models import CAUSED_BY_TMS, Presence
from tms.fleet.models.outage import Outage, OutageCause
from tms.fleet.presence.outage_causes import Return, cause_of
from tms.fleet.presence.state_machine import LinkStateChange, Timing
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.metrics import instruments


class OutageRow(msgspec.Struct, gc=False):
    """A row of `Outage`."""

    terminal_id: int
    began_at: datetime
    lost_by: str
    node: str
    ended_at: datetime | None = None
    cause: str = ""
    offline_at: datetime | None = None
    has_restarted: bool | None = None
    uptime_s: float | None = None
    boot_id: str = ""
    seq: int = 0
    reports_made: int | None = None
    reports_sent: int | None = None


BEGUN = ("terminal_id", "began_at", "lost_by", "node")
COLUMNS = OutageRow.__struct_fields__


def begin(link_changes: Iterable[LinkStateChange]) -> None:
    """Record an outage for every terminal whose link was lost."""
    _insert([_begin_row(change) for change in link_changes if change.before == Presence.ONLINE])


def follow(link_changes: Sequence[LinkStateChange], returns: Mapping[int, Return], *, timing: Timing) -> None:
    """All changes of one transaction in their order, with the returns among them by their index.

    A terminal may have returned and been lost again, or the reverse.
    """
    before = _open({back.terminal_id for back in returns.values()})
    away, within = {row.terminal_id: row for row in before}, []
    for index, change in enumerate(link_changes):
        if change.before == Presence.ONLINE:
            away[change.terminal_id] = row = _begin_row(change)
            within.append(row)
        elif index in returns and (lost := away.pop(change.terminal_id, None)):
            _end(lost, returns[index], at=change.at, timing=timing)
    _update(before)
    _insert(within)


def _begin_row(change: LinkStateChange) -> OutageRow:
    node = change.node if change.cause in CAUSED_BY_TMS else ""
    return OutageRow(change.terminal_id, change.since or change.at, change.cause, node)


def _end(row: OutageRow, back: Return, *, at: datetime, timing: Timing) -> None:
    cause = cause_of(back.evidence(lost_by=row.lost_by, began_at=row.began_at), timing=timing)
    row.ended_at, row.cause = at, cause.value
    row.offline_at, row.has_restarted, row.uptime_s = back.offline_at, back.has_restarted, back.uptime_s
    row.boot_id, row.seq, row.reports_made = back.boot_id, back.seq, back.reports_made
    if cause is OutageCause.PLANNED or not (back.reports_made or back.has_restarted):
        row.reports_sent = 0  # nothing to wait for
    instruments.OUTAGES.labels(cause.value).inc()
    if cause is OutageCause.SERVER and back.offline_at:
        instruments.FALSE_OFFLINE.inc()


def _open(terminal_ids: Collection[int]) -> list[OutageRow]:
    if not terminal_ids:
        return []
    if connection.vendor == "postgresql":
        rows = prepared.run(_OPEN, [list(terminal_ids)])
    else:  # the ORM knows how instants are stored
        rows = list(Outage.objects.open().filter(terminal__in=terminal_ids).values_list(*BEGUN))
    return [OutageRow(*row) for row in rows]


_OPEN = f"SELECT {', '.join(BEGUN)} FROM {Outage._meta.db_table} WHERE ended_at IS NULL AND terminal_id = ANY(%s)"


def _insert(rows: Sequence[OutageRow]) -> None:
    """The ORM takes 60 µs per row, and a lost node affects thousands."""
    if not rows:
        return
    picked = ", ".join(f"r.{name}" for name in COLUMNS)
    prepared.run(
        f"INSERT INTO {Outage._meta.db_table} ({', '.join(COLUMNS)}) SELECT {picked} FROM {db_rows.source(OutageRow)}",
        [db_rows.encode(rows)],
    )


def _update(rows: Sequence[OutageRow]) -> None:
    """End the open ones."""
    if not rows:
        return
    columns = ", ".join(f"{name} = r.{name}" for name in COLUMNS if name not in BEGUN)
    among, keys = db_rows.among("o.terminal_id", (row.terminal_id for row in rows))
    prepared.run(
        f"UPDATE {Outage._meta.db_table} AS o SET {columns} FROM {db_rows.source(OutageRow)} "
        f"WHERE o.terminal_id = r.terminal_id AND o.ended_at IS NULL{among}",
        [db_rows.encode(rows), *keys],
    )
