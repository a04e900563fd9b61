"""Reports and heartbeats that change nothing but the newest values: one statement and one round trip on PostgreSQL.

Nearly all that a fleet sends is of this kind: the terminal is online, its session is the newest, the report is its next
one, and no rule triggers or clears. The statement checks the first three under the lock of the row. The rest is
left to the transaction of the store, which handles every case.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from msgspec import UNSET

from tms.feed.change import Change
from tms.fleet.models import Presence, TerminalState
from tms.fleet.presence import store
from tms.fleet.presence.transitions import Timing
from tms.ingest.items import Alive, Item, Link, Reported
from tms.ingest.store.report_rows import ReportRow, report_row
from tms.lib.db import rows as db_rows
from tms.lib.db.clock import db_clock
from tms.lib.db.prepared import fetch_prepared
from tms.telemetry.models import Report
from tms.telemetry.rollups import hourly


class NewestRow(msgspec.Struct, frozen=True, gc=False):
    """The newest values of one terminal."""

    terminal_id: int
    session: int
    first_seq: int | None
    """None: only heartbeats."""
    last_seq: int | None
    seen_at: datetime
    lease_at: datetime
    status: str
    """Empty: not reported."""
    status_at: datetime | None
    is_other_status: bool
    """Another status was reported in between."""
    metrics: msgspec.Raw


class TerminalItems(NamedTuple):
    """Items of one terminal, which fit if the database agrees."""

    newest: NewestRow
    reports: Sequence[ReportRow]
    items: Sequence[Item]


class Written(NamedTuple):
    items: Sequence[Item]
    terminals: frozenset[int]
    status: frozenset[int]
    """Those of `terminals` whose status changed."""
    inserted: int
    """Number of reports."""
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
    fitting = candidates(items, timing) if connection.vendor == "postgresql" else {}
    if not fitting:
        return Written([], frozenset(), frozenset(), 0, list(items))
    return written(items, fitting, fetch_prepared(*statement(fitting.values())))


def written(items: Sequence[Item], candidates: Mapping[int, TerminalItems], row: Sequence[Any]) -> Written:
    """`row` is what the statement returned: the terminals that were written, those whose status changed, and the
    number of reports inserted.
    """
    terminals, status, inserted = frozenset(row[0]), frozenset(row[1]), row[2]
    fitted = [item for terminal_id in terminals for item in candidates[terminal_id].items]
    rest = [item for item in items if item.link.identity.terminal_id not in terminals]
    return Written(fitted, terminals, status, inserted, rest)


def candidates(items: Iterable[Item], timing: Timing) -> dict[int, TerminalItems]:
    """The items that fit if the database agrees, by terminal.

    A report of an hour that was rolled up does not: it has to be noted for that.
    """
    over = hourly.late_before(db_clock().now())
    by_terminal: dict[int, list[Item]] = {}
    for item in items:
        by_terminal.setdefault(item.link.identity.terminal_id, []).append(item)
    found = {terminal_id: _candidate(own, timing, over) for terminal_id, own in by_terminal.items()}
    return {terminal_id: candidate for terminal_id, candidate in found.items() if candidate is not None}


def _candidate(items: Sequence[Item], timing: Timing, over: datetime) -> TerminalItems | None:
    """None if one of the items needs more than the statement does."""
    link, at = items[0].link, items[-1].at
    if not link.boot_pk or not all(_is_plain(item, link) for item in items):
        return None
    reported = [item for item in items if isinstance(item, Reported)]
    seqs = [item.report.seq for item in reported]
    if any(later <= earlier for earlier, later in pairwise(seqs)):
        return None
    reports = [report_row(item, link.boot_pk) for item in reported]
    if any(row.at < over for row in reports):
        return None
    status, status_at, is_other = _newest_status(reported)
    newest = NewestRow(
        terminal_id=link.identity.terminal_id,
        session=link.number,
        first_seq=seqs[0] if seqs else None,
        last_seq=seqs[-1] if seqs else None,
        seen_at=at,
        lease_at=at + timing.lease,
        status=status,
        status_at=status_at,
        is_other_status=is_other,
        metrics=_merged(reported, reports),
    )
    return TerminalItems(newest, reports, items)


def _is_plain(item: Item, link: Link) -> bool:
    if item.link is not link:
        return False
    if isinstance(item, Reported):
        report = item.report
        return not (item.rule_events or report.late or report.events or report.boot_id is not UNSET)
    return isinstance(item, Alive) and not item.rule_events


def _newest_status(reported: Sequence[Reported]) -> tuple[str, datetime | None, bool]:
    """The status, since when it was reported without another one in between, and whether there was another."""
    status, since, is_other = "", None, False
    for item in reported:
        new = item.report.status
        if new is not UNSET and new != status:
            status, since, is_other = new, item.at, bool(status)
    return status, since, is_other


def _merged(reported: Sequence[Reported], reports: Sequence[ReportRow]) -> msgspec.Raw:
    """The newest value of each metric, as a JSON object."""
    if len(reports) == 1:
        return reports[0].metrics
    newest: dict[str, float] = {}
    for item in reported:
        if item.report.metrics is not UNSET:
            newest |= item.report.metrics
    return msgspec.Raw(msgspec.json.encode(newest))


def statement(candidates: Collection[TerminalItems]) -> tuple[str, dict[str, Any]]:
    """SQL, and its values."""
    newest = [candidate.newest for candidate in candidates]
    reports = [row for candidate in candidates for row in candidate.reports]
    ids = [row.terminal_id for row in newest]
    return _sql(), {"newest": db_rows.encode(newest), "reports": db_rows.encode(reports), "ids": ids}


_STATUS_CHANGED = "(r.status <> '' AND (r.is_other_status OR r.status <> s.status))"


def _named(struct: type[msgspec.Struct], name: str) -> str:
    return db_rows.source(struct).replace("%s", f"%({name})s")


@cache
def _sql() -> str:
    """Rows are locked in the order of the key, as everywhere. A row changed meanwhile is checked as it is then.

    The ids are repeated for the planner, which expects a hundred rows of the values and would scan the whole table.
    """
    states, columns = TerminalState._meta.db_table, ", ".join(ReportRow.__struct_fields__)
    picked = ", ".join(f"r.{name}" for name in ReportRow.__struct_fields__)
    return (
        f"WITH newest AS (SELECT * FROM {_named(NewestRow, 'newest')}), "  # noqa: S608  (names are our own; values are parameters)
        f"fitting AS MATERIALIZED (SELECT s.terminal_id, {_STATUS_CHANGED} AS is_other "
        f"FROM {states} AS s JOIN newest AS r USING (terminal_id) "
        f"WHERE s.terminal_id = ANY(%(ids)s) AND s.session = r.session AND s.presence = '{Presence.ONLINE.value}' "
        "AND (r.first_seq IS NULL OR r.first_seq > s.seq) ORDER BY s.terminal_id FOR NO KEY UPDATE OF s), "
        f"updated AS (UPDATE {states} AS s SET last_seen_at = r.seen_at, lease_at = r.lease_at, "
        "seq = GREATEST(s.seq, r.last_seq), status = COALESCE(NULLIF(r.status, ''), s.status), "
        f"status_at = CASE WHEN {_STATUS_CHANGED} THEN r.status_at ELSE s.status_at END, "
        f"metrics = {store.merged_metrics()} "
        "FROM newest AS r JOIN fitting USING (terminal_id) "
        "WHERE s.terminal_id = r.terminal_id), "
        f"inserted AS (INSERT INTO {Report._meta.db_table} ({columns}) SELECT {picked} "
        f"FROM {_named(ReportRow, 'reports')} JOIN fitting USING (terminal_id) ON CONFLICT DO NOTHING RETURNING 1) "
        "SELECT ARRAY(SELECT terminal_id FROM fitting), ARRAY(SELECT terminal_id FROM fitting WHERE is_other), "
        "(SELECT count(*) FROM inserted)"
    )
