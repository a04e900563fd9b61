"""Partitions on PostgreSQL: created in advance, dropped when their rows are older than the retention.

Ingest does not depend on them: rows without a partition go into the default partition, and move when theirs is created.
Nothing here blocks ingest for longer than `LOCK_TIMEOUT`; what fails by then is retried in the next pass. Every step
may be interrupted and repeated.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from tms.metrics import instruments
from tms.telemetry.models import Report, Rollup

log = structlog.get_logger(__name__)

LOCK_TIMEOUT = "500ms"
CHUNK = 20_000
"""Rows moved in one transaction."""
MAX_COUNTED_ROWS = 10_000
"""Rows of a default partition are counted up to this number."""
PARTITION_NAME = re.compile(r"_(\d{8})$")


def day(at: datetime, ahead: int = 0) -> datetime:
    """The start of the day of `at`, or of a day `ahead` days later, in UTC."""
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start + timedelta(days=ahead)


def month(at: datetime, ahead: int = 0) -> datetime:
    start = day(at).replace(day=1)
    years, months = divmod(start.month - 1 + ahead, 12)
    return start.replace(year=start.year + years, month=months + 1)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table that is partitioned by `column`, with one partition per `unit` of time."""

    table: str
    column: str
    received: str
    """The column that decides the retention of rows in the default partition, whose `column` may have any value."""
    unit: Callable[[datetime, int], datetime]
    ahead: int
    days: Callable[[], int]
    """The retention setting."""

    def name(self, start: datetime) -> str:
        return f"{self.table}_{start:%Y%m%d}"

    @property
    def default(self) -> str:
        return f"{self.table}_default"

    def horizon(self, at: datetime) -> datetime:
        """The start of the retention: older rows are deleted."""
        return day(at - timedelta(days=self.days()))

    def upcoming(self, at: datetime) -> list[datetime]:
        return [self.unit(at, ahead) for ahead in range(self.ahead + 1)]


REPORTS = Partitioned(Report._meta.db_table, "at", "received_at", day, ahead=3, days=lambda: settings.READINGS_DAYS)
ROLLUPS = Partitioned(Rollup._meta.db_table, "hour", "hour", month, ahead=1, days=lambda: settings.ROLLUPS_DAYS)
TABLES = (REPORTS, ROLLUPS)


@dataclass(frozen=True, slots=True)
class Partition:
    start: datetime
    is_attached: bool
    bytes: int
    rows: int
    """The planner's estimate; -1 before the first ANALYZE."""


def maintain(at: datetime) -> None:
    """Create the partitions that will be needed, and drop expired ones. Does nothing on SQLite."""
    if connection.vendor != "postgresql":
        return
    for parent in TABLES:
        found = {partition.start: partition for partition in existing(parent)}
        attached = {start for start, partition in found.items() if partition.is_attached}
        expired = {start for start in found if parent.unit(start, 1) <= parent.horizon(at)}
        needed = {*parent.upcoming(at), *_missing(parent, at), *(found.keys() - attached)} - attached - expired
        for start in sorted(needed, key=lambda start: (start < parent.unit(at, 0), start)):
            _step("make", parent, start, make)
        for start in sorted(expired):
            _step("drop", parent, start, drop)


def existing(parent: Partitioned) -> list[Partition]:
    """Partitions, oldest first, including those that an interrupted pass created or detached."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, i.inhparent IS NOT NULL, pg_total_relation_size(c.oid), c.reltuples::bigint "
            "FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid "
            "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname ~ %s ORDER BY 1",
            [rf"^{parent.table}_\d{{8}}$"],
        )
        return [Partition(_start(name), attached, size, rows) for name, attached, size, rows in cursor.fetchall()]


def make(parent: Partitioned, start: datetime) -> None:
    """Create a partition and move its rows there from the default partition, most of them before the table is locked.

    Moved rows are in no partition until the new one is attached; charts lack them meanwhile.
    """
    part, end = parent.name(start), parent.unit(start, 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {part} (LIKE {parent.table} INCLUDING ALL)")
    # Not until none is left: new ones may arrive as fast.
    for _ in range(0, _count_misplaced(parent, start, end), CHUNK):
        _move(parent, start, end)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"LOCK TABLE {parent.default} IN ACCESS EXCLUSIVE MODE")
        while _move(parent, start, end):
            pass
        cursor.execute(
            f"ALTER TABLE {parent.table} ATTACH PARTITION {part} FOR VALUES FROM ('{start.isoformat()}') "
            f"TO ('{end.isoformat()}')"
        )
    log.info("partition_made", partition=part)


def drop(parent: Partitioned, start: datetime) -> None:
    """Detach the partition, then drop it: deleting its files takes long, and only detaching locks the table."""
    part = parent.name(start)
    if any(partition.start == start and partition.is_attached for partition in existing(parent)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute(f"ALTER TABLE {parent.table} DETACH PARTITION {part}")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {part}")
    log.info("partition_dropped", partition=part)


def count_default_rows(parent: Partitioned) -> int:
    """Number of rows in the default partition, at most `MAX_COUNTED_ROWS`."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {parent.default} LIMIT {MAX_COUNTED_ROWS}) AS counted")
        return int(cursor.fetchone()[0])


def expire_default_rows(parent: Partitioned, at: datetime) -> int:
    """Delete rows of the default partition that were received before the retention."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {parent.default} WHERE ctid = ANY (ARRAY("
            f"SELECT ctid FROM {parent.default} WHERE {parent.received} < %s LIMIT {CHUNK}))",
            [parent.horizon(at)],
        )
        deleted: int = cursor.rowcount
    return deleted


def _step(name: str, parent: Partitioned, start: datetime, work: Callable[[Partitioned, datetime], None]) -> None:
    try:
        work(parent, start)
    except DatabaseError as error:
        if _is_database_away():
            raise
        instruments.PARTITION_FAILURES.labels(name).inc()
        log.warning("partition_failed", step=name, partition=parent.name(start), error=str(error).strip())


def _is_database_away() -> bool:
    """Whether the database is unavailable, rather than a lock."""
    try:
        return not connection.is_usable()
    except DatabaseError:
        return True


def _missing(parent: Partitioned, at: datetime) -> Iterator[datetime]:
    """Units of time within the retention that have rows in the default partition."""
    first, last = parent.horizon(at), parent.upcoming(at)[-1]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('day', {parent.column}, 'UTC') FROM {parent.default} "
            f"WHERE {parent.column} >= %s AND {parent.column} < %s",
            [first, parent.unit(last, 1)],
        )
        yield from {parent.unit(start, 0) for (start,) in cursor.fetchall()}


def _count_misplaced(parent: Partitioned, start: datetime, end: datetime) -> int:
    """Number of rows in the default partition that belong in this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {parent.default} WHERE {parent.column} >= %s AND {parent.column} < %s",
            [start, end],
        )
        return int(cursor.fetchone()[0])


def _move(parent: Partitioned, start: datetime, end: datetime) -> int:
    """Move a chunk of rows out of the default partition; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH moved AS (DELETE FROM {parent.default} WHERE ctid = ANY (ARRAY("
            f"SELECT ctid FROM {parent.default} WHERE {parent.column} >= %s AND {parent.column} < %s LIMIT {CHUNK}"
            f")) RETURNING *), put AS (INSERT INTO {parent.name(start)} SELECT * FROM moved ON CONFLICT DO NOTHING) "
            "SELECT count(*) FROM moved",
            [start, end],
        )
        return int(cursor.fetchone()[0])


def _start(name: str) -> datetime:
    return datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC)
