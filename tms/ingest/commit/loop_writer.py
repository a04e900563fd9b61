"""Commits small batches from the event loop, on PostgreSQL: what fits in one statement."""

import time
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import connection

from tms.alerts.rules.cache import rule_cache
from tms.feed.publisher import feed
from tms.fleet.presence import store
from tms.ingest.batch_result import BatchResult
from tms.ingest.commit import online_reports
from tms.ingest.items import Item
from tms.lib.db.loop_connection import LoopConnection, Row
from tms.metrics import instruments

log = structlog.get_logger(__name__)

RETRY_S = 1.0
"""How long the thread commits everything after an error: it finds the item that fails, and reports the database."""
MAX_ITEMS = 100
"""Preparing more would hold up the event loop; for them, waking up a thread costs little."""


class LoopWriter:
    """Use it from one event loop, for one batch at a time."""

    def __init__(self) -> None:
        self._connection = LoopConnection()
        self._retry_at = 0.0
        self.cpu_s = 0.0
        """CPU time of the last batch in the event loop, without sending and receiving."""

    async def write(self, items: list[Item]) -> tuple[BatchResult | None, list[Item]]:
        """The result of what was committed, if anything was, and the other items: all of them after an error."""
        self.cpu_s = 0.0
        if not self._may_write(items):
            return None, items
        try:
            return await self._write(items)
        except Exception as error:  # noqa: BLE001  (of the database or of one item: the thread distinguishes them)
            self._retry_at = time.monotonic() + RETRY_S
            log.warning("loop_writer_failed", error=repr(error))
            return None, items

    def _may_write(self, items: list[Item]) -> bool:
        return (
            len(items) <= MAX_ITEMS
            and connection.vendor == "postgresql"
            and rule_cache().is_current
            and time.monotonic() >= self._retry_at
        )

    async def _write(self, items: list[Item]) -> tuple[BatchResult | None, list[Item]]:
        began = time.thread_time()
        timing = store.timing()
        candidates = online_reports.candidates(items)
        if not candidates:
            return None, items
        values = online_reports.statement(candidates, timing)
        self.cpu_s = time.thread_time() - began
        row = await self._connection.fetch_prepared(online_reports.sql("$1", "$2", "$3"), as_text(values))
        began = time.thread_time()
        written = online_reports.split_written(items, candidates, from_text(row))
        if written.terminals:
            feed().publish_committed(written.change)
            instruments.INGEST_REPORTS.labels("committed").inc(written.inserted)
        result = BatchResult({}, timing, settings.NODE, reports=written.reports)
        self.cpu_s += time.thread_time() - began
        return result, list(written.rest)

    @property
    def backend_pid(self) -> int | None:
        """The process id of the connection's server process; None without a connection."""
        return self._connection.backend_pid

    async def close(self) -> None:
        await self._connection.close()


def as_text(values: online_reports.Statement) -> Sequence[bytes]:
    """The parameters in PostgreSQL's text format."""
    return values.rows, b"{%s}" % ",".join(map(str, values.ids)).encode(), b"%r" % values.lease_s


def from_text(row: Row) -> Sequence[object]:
    """What the statement returned."""
    terminals, status, inserted = (value or b"" for value in row)
    return _numbers(terminals), _numbers(status), int(inserted)


def _numbers(array: bytes) -> list[int]:
    return [int(number) for number in array.strip(b"{}").split(b",") if number]
