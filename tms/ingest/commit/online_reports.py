"""Reports and heartbeats that change nothing but the newest values: one statement and one round trip on PostgreSQL.

Nearly all that a fleet sends is of this kind: the terminal is online, its session is the newest, the report is its next
one, and no rule triggers or clears. The statement checks the first three under the lock of the row. The rest is
left to the transaction, which handles every case.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from msgspec import UNSET, structs

from tms.feed.change import Change
from tms.fleet.models import Presence, TerminalState
from tms.fleet.presence import store
from tms.fleet.presence.state_machine import Timing
from tms.ingest.commit.report_rows import ReportRow, report_row
from tms.ingest.items import Alive, Item, Link, Reported
from tms.lib.db import rows as db_rows
from tms.lib.db.clock import db_clock
from tms.lib.db.prepared import fetch_prepared
from tms.telemetry.models import Report
from tms.telemetry.rollups import hourly

NO_METRICS = msgspec.Raw(b"{}")


class ItemRow(ReportRow, frozen=True, gc=False, omit_defaults=True):
    """A report of a terminal, or its heartbeats if there is no report. Its last row has the newest values."""

    session: int = 0
    is_heartbeat: bool = False
    is_earlier: bool = False
    """The terminal has a later row."""
    first_seq: int | None = None
    """Number of the terminal's first report in this batch. If it is omitted, as each value below, the terminal has one
    report.
    """
    seen_at: datetime | None = None
    newest_status: str | None = None
    """The newest status; empty if none was reported."""
    status_at: datetime | None = None
    is_other_status: bool = False
    """Another status was reported in between."""
    newest_metrics: msgspec.Raw | None = None


class TerminalItems(NamedTuple):
    """Items of one terminal, which fit if the database agrees."""

    rows: Sequence[ItemRow]
    items: Sequence[Item]


class Statement(NamedTuple):
    """The parameters of the statement."""

    rows: bytes
    """Many `ItemRow`, as JSON."""
    ids: Sequence[int]
    """Ids of the terminals in the rows."""
    lease_s: float


class Written(NamedTuple):
    items: Sequence[Item]
    terminals: frozenset[int]
    status: frozenset[int]
    """The terminals among `terminals` whose status changed."""
    inserted: int
    """The number of reports that were inserted."""
    rest: Sequence[Item]
    """Items that were not written, in their order."""

    @property
    def change(self) -> Change:
        return Change(terminals=self.terminals, status=self.status)

    @property
    def reports(self) -> list[Reported]:
        return [item for item in self.items if isinstance(item, Reported)]


def write(items: Sequence[Item], timing: Timing) -> Written:
    """Commit the items that fit, outside a transaction. Raises DatabaseError; then nothing was written."""
    fitting = candidates(items) if connection.vendor == "postgresql" else {}
    if not fitting:
        return Written([], frozenset(), frozenset(), 0, list(items))
    rows, ids, lease_s = statement(fitting, timing)
    return split_written(items, fitting, fetch_prepared(sql("%s", "%s", "%s"), [rows.decode(), ids, lease_s]))


def split_written(items: Sequence[Item], candidates: Mapping[int, TerminalItems], row: Sequence[Any]) -> Written:
    """`row` is what the statement returned: the terminals that were written, those whose status changed, and the
    number of reports inserted.
    """
    terminals, status, inserted = frozenset(row[0]), frozenset(row[1]), row[2]
    fitted = [item for terminal_id in terminals for item in candidates[terminal_id].items]
    rest = [item for item in items if item.link.identity.terminal_id not in terminals]
    return Written(fitted, terminals, status, inserted, rest)


def candidates(items: Iterable[Item]) -> dict[int, TerminalItems]:
    """The items that fit if the database agrees, by terminal.

    A report of an hour that was rolled up does not: it has to be noted for that.
    """
    over = hourly.late_before(db_clock().now())
    by_terminal: dict[int, list[Item]] = {}
    for item in items:
        by_terminal.setdefault(item.link.identity.terminal_id, []).append(item)
    found = {terminal_id: _candidate(own, over) for terminal_id, own in by_terminal.items()}
    return {terminal_id: candidate for terminal_id, candidate in found.items() if candidate is not None}


def _candidate(items: Sequence[Item], over: datetime) -> TerminalItems | None:
    """The candidate; None if one of the items needs more than the statement does."""
    link = items[0].link
    if not link.boot_pk or not all(_is_plain(item, link) for item in items):
        return None
    reported = [item for item in items if isinstance(item, Reported)]
    if not reported:
        return TerminalItems([_heartbeat_row(items[-1])], items)
    rows = [report_row(ItemRow, item, link.boot_pk, session=link.number) for item in reported]
    if any(later.seq <= earlier.seq for earlier, later in pairwise(rows)) or any(row.at < over for row in rows):
        return None
    if len(items) > 1:
        earlier = [structs.replace(row, is_earlier=True) for row in rows[:-1]]
        rows = [*earlier, structs.replace(rows[-1], **_newest(reported), seen_at=items[-1].at)]
    return TerminalItems(rows, items)


def _is_plain(item: Item, link: Link) -> bool:
    if item.link is not link:
        return False
    if isinstance(item, Reported):
        report = item.report
        return not (item.rule_events or report.late or report.events or report.boot_id is not UNSET)
    return isinstance(item, Alive) and not item.rule_events


def _heartbeat_row(item: Item) -> ItemRow:
    link, at = item.link, item.at
    return ItemRow(
        boot_id=link.boot_pk,
        seq=0,
        terminal_id=link.identity.terminal_id,
        at=at,
        received_at=at,
        late=False,
        undated=False,
        status="",
        metrics=NO_METRICS,
        session=link.number,
        is_heartbeat=True,
    )


def _newest(reported: Sequence[Reported]) -> dict[str, object]:
    """The newest values of several reports of a terminal.

    The status is the last one, since when it was reported without another one in between.
    """
    status, since, is_other, metrics = "", None, False, dict[str, float]()
    for item in reported:
        new = item.report.status
        if new is not UNSET and new != status:
            status, since, is_other = new, item.at, bool(status)
        if item.report.metrics is not UNSET:
            metrics |= item.report.metrics
    return {
        "first_seq": reported[0].report.seq,
        "newest_status": status,
        "status_at": since,
        "is_other_status": is_other,
        "newest_metrics": msgspec.Raw(msgspec.json.encode(metrics)),
    }


def statement(candidates: Mapping[int, TerminalItems], timing: Timing) -> Statement:
    rows = [row for candidate in candidates.values() for row in candidate.rows]
    return Statement(msgspec.json.encode(rows), list(candidates), timing.lease.total_seconds())


_NEWEST = {
    "first_seq": "COALESCE(r.first_seq, r.seq)",
    "seen_at": "COALESCE(r.seen_at, r.received_at)",
    "newest_status": "COALESCE(r.newest_status, r.status)",
    "status_at": "COALESCE(r.status_at, r.received_at)",
    "newest_metrics": "COALESCE(r.newest_metrics, r.metrics)",
}
"""Omitted values are those of the only report."""
_STATUS_CHANGED = "(r.newest_status <> '' AND (r.is_other_status IS TRUE OR r.newest_status <> s.status))"


@cache
def sql(rows: str, ids: str, lease_s: str) -> str:
    """The statement, with these placeholders.

    Rows are locked in the order of the key, as everywhere. A row changed meanwhile is checked as it is then.
    The ids are repeated for the planner, which expects a hundred rows of the values and would scan the whole table. The
    presence is compared so that neither an index nor statistics of it count, and half of the rows are expected: if
    nobody was online when the table was analysed, as after an outage, each flush would read all online terminals, and
    if one row is expected, compare each terminal with each row.
    """
    states, columns = TerminalState._meta.db_table, ", ".join(ReportRow.__struct_fields__)
    picked = ", ".join(f"r.{name}" for name in ReportRow.__struct_fields__)
    others = ", ".join(f"r.{name}" for name in ItemRow.__struct_fields__ if name not in _NEWEST)
    newest = ", ".join(f"{value} AS {name}" for name, value in _NEWEST.items())
    return (
        f"WITH items AS (SELECT {others}, {newest} FROM {db_rows.source(ItemRow).replace('%s', rows)}), "
        f"fitting AS MATERIALIZED (SELECT s.terminal_id, {_STATUS_CHANGED} AS is_other "
        f"FROM {states} AS s JOIN items AS r USING (terminal_id) "
        f"WHERE s.terminal_id = ANY({ids}) AND s.session = r.session "
        f"AND CASE WHEN s.presence = '{Presence.ONLINE.value}' THEN TRUE ELSE FALSE END "
        "AND r.is_earlier IS NOT TRUE AND (r.is_heartbeat IS TRUE OR r.first_seq > s.seq) "
        "ORDER BY s.terminal_id FOR NO KEY UPDATE OF s), "
        f"updated AS (UPDATE {states} AS s SET last_seen_at = r.seen_at, "
        f"lease_at = r.seen_at + {lease_s} * interval '1 second', seq = GREATEST(s.seq, r.seq), "
        "status = COALESCE(NULLIF(r.newest_status, ''), s.status), "
        f"status_at = CASE WHEN {_STATUS_CHANGED} THEN r.status_at ELSE s.status_at END, "
        f"metrics = {store.merged_metrics('r.newest_metrics')} "
        "FROM items AS r JOIN fitting USING (terminal_id) "
        "WHERE s.terminal_id = r.terminal_id AND r.is_earlier IS NOT TRUE), "
        f"inserted AS (INSERT INTO {Report._meta.db_table} ({columns}) SELECT {picked} "
        "FROM items AS r JOIN fitting USING (terminal_id) WHERE r.is_heartbeat IS NOT TRUE "
        "ON CONFLICT DO NOTHING RETURNING 1) "
        "SELECT ARRAY(SELECT terminal_id FROM fitting), ARRAY(SELECT terminal_id FROM fitting WHERE is_other), "
        "(SELECT count(*) FROM inserted)"
    )
