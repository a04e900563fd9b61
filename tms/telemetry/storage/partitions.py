"""Partitions on PostgreSQL: made ahead of time, dropped when what is in them is old enough.

Ingest never needs one: what has none goes into the default partition and is moved when it is made. Nothing here makes
ingest wait for longer than `LOCK_TIMEOUT`; what cannot be done by then is tried again at the next pass. Every step may
be ended at any point and repeated.
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
COUNTED = 10_000
"""Of the rows of a default partition no more are counted."""
NAMED = re.compile(r"_(\d{8})$")


def day(at: datetime, ahead: int = 0) -> datetime:
    """The beginning of the day of `at`, or of one so many days later. Days of partitions are those of UTC."""
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start + timedelta(days=ahead)


def month(at: datetime, ahead: int = 0) -> datetime:
    start = day(at).replace(day=1)
    years, months = divmod(start.month - 1 + ahead, 12)
    return start.replace(year=start.year + years, month=months + 1)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table that is partitioned by `column`, a partition for each `unit` of time."""

    table: str
    column: str
    received: str
    """The instant from which rows of the default partition are kept, for their own may be any."""
    unit: Callable[[datetime, int], datetime]
    ahead: int
    days: Callable[[], int]
    """The retention, as it is set."""

    def name(self, start: datetime) -> str:
        return f"{self.table}_{start:%Y%m%d}"

    @property
    def default(self) -> str:
        return f"{self.table}_default"

    def horizon(self, at: datetime) -> datetime:
        """What lies before is not kept."""
        return day(at - timedelta(days=self.days()))

    def wanted(self, at: datetime) -> list[datetime]:
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
    """As the planner estimates; -1 before the first ANALYZE."""


def keep_up(at: datetime) -> None:
    """Make what will be needed, and drop what is too old. On SQLite there is nothing to do."""
    if connection.vendor != "postgresql":
        return
    for kept in TABLES:
        found = {partition.start: partition for partition in existing(kept)}
        attached = {start for start, partition in found.items() if partition.is_attached}
        expired = {start for start in found if kept.unit(start, 1) <= kept.horizon(at)}
        needed = {*kept.wanted(at), *_strayed(kept, at), *(found.keys() - attached)} - attached - expired
        for start in sorted(needed, key=lambda start: (start < kept.unit(at, 0), start)):
            _step("make", kept, start, make)
        for start in sorted(expired):
            _step("drop", kept, start, drop)


def existing(kept: Partitioned) -> list[Partition]:
    """The oldest first, also such as were made or detached and then left alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, i.inhparent IS NOT NULL, pg_total_relation_size(c.oid), c.reltuples::bigint "
            "FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid "
            "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname ~ %s ORDER BY 1",
            [rf"^{kept.table}_\d{{8}}$"],
        )
        return [Partition(_start(name), attached, size, rows) for name, attached, size, rows in cursor.fetchall()]


def make(kept: Partitioned, start: datetime) -> None:
    """Rows of its time that went into the default partition move there, most of them before anybody is locked out.

    Meanwhile they are in no partition, and charts lack them.
    """
    part, end = kept.name(start), kept.unit(start, 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {part} (LIKE {kept.table} INCLUDING ALL)")
    for _ in range(0, _waiting(kept, start, end), CHUNK):  # until none is left may be never: more come meanwhile
        _move(kept, start, end)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"LOCK TABLE {kept.default} IN ACCESS EXCLUSIVE MODE")
        while _move(kept, start, end):
            pass
        cursor.execute(
            f"ALTER TABLE {kept.table} ATTACH PARTITION {part} FOR VALUES FROM ('{start.isoformat()}') "
            f"TO ('{end.isoformat()}')"
        )
    log.info("partition_made", partition=part)


def drop(kept: Partitioned, start: datetime) -> None:
    """In two steps, for its files are deleted while locks are held: the table is locked only to let go of it."""
    part = kept.name(start)
    if any(partition.start == start and partition.is_attached for partition in existing(kept)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute(f"ALTER TABLE {kept.table} DETACH PARTITION {part}")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {part}")
    log.info("partition_dropped", partition=part)


def strays(kept: Partitioned) -> int:
    """Rows in the default partition, counted up to `COUNTED`."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {kept.default} LIMIT {COUNTED}) AS counted")  # noqa: S608  (names are our own)
        return int(cursor.fetchone()[0])


def expire_strays(kept: Partitioned, at: datetime) -> int:
    """Delete from the default partition what was received too long ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {kept.default} WHERE ctid = ANY (ARRAY("  # noqa: S608  (names are our own; values are parameters)
            f"SELECT ctid FROM {kept.default} WHERE {kept.received} < %s LIMIT {CHUNK}))",
            [kept.horizon(at)],
        )
        deleted: int = cursor.rowcount
    return deleted


def _step(name: str, kept: Partitioned, start: datetime, work: Callable[[Partitioned, datetime], None]) -> None:
    try:
        work(kept, start)
    except DatabaseError as error:
        if _is_away():
            raise
        instruments.PARTITION_FAILURES.labels(name).inc()
        log.warning("partition_failed", step=name, partition=kept.name(start), error=str(error).strip())


def _is_away() -> bool:
    """Whether it is the database that failed, and not the lock that was not to be had."""
    try:
        return not connection.is_usable()
    except DatabaseError:
        return True


def _strayed(kept: Partitioned, at: datetime) -> Iterator[datetime]:
    """Units of time that have rows in the default partition and might have a partition."""
    first, last = kept.horizon(at), kept.wanted(at)[-1]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('day', {kept.column}, 'UTC') FROM {kept.default} "  # noqa: S608  (names are our own; values are parameters)
            f"WHERE {kept.column} >= %s AND {kept.column} < %s",
            [first, kept.unit(last, 1)],
        )
        yield from {kept.unit(start, 0) for (start,) in cursor.fetchall()}


def _waiting(kept: Partitioned, start: datetime, end: datetime) -> int:
    """Rows in the default partition that have a place elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {kept.default} WHERE {kept.column} >= %s AND {kept.column} < %s",  # noqa: S608  (names are our own; values are parameters)
            [start, end],
        )
        return int(cursor.fetchone()[0])


def _move(kept: Partitioned, start: datetime, end: datetime) -> int:
    """Some rows from the default partition; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH moved AS (DELETE FROM {kept.default} WHERE ctid = ANY (ARRAY("  # noqa: S608  (names are our own; values are parameters)
            f"SELECT ctid FROM {kept.default} WHERE {kept.column} >= %s AND {kept.column} < %s LIMIT {CHUNK}"
            f")) RETURNING *), placed AS (INSERT INTO {kept.name(start)} SELECT * FROM moved ON CONFLICT DO NOTHING) "
            "SELECT count(*) FROM moved",
            [start, end],
        )
        return int(cursor.fetchone()[0])


def _start(name: str) -> datetime:
    return datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC)
