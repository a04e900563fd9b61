"""Commits small batches from the event loop, on PostgreSQL: what fits in one statement."""

import time

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection

from tms.alerts.rules.cache import rule_cache
from tms.feed.publisher import feed
from tms.fleet.presence import store
from tms.ingest.batch_result import BatchResult
from tms.ingest.items import Item
from tms.ingest.store import online_reports
from tms.lib.db.loop_connection import LoopConnection
from tms.metrics import instruments

log = structlog.get_logger(__name__)

MOST_ITEMS = 100
"""Preparing more would hold up the event loop; for them, waking up a thread costs little."""


class LoopWriter:
    """Use it from one event loop, for one batch at a time."""

    def __init__(self) -> None:
        self._connection = LoopConnection()
        self.cpu_s = 0.0
        """CPU time of the last batch in the event loop, without psycopg's."""

    async def write(self, items: list[Item]) -> tuple[BatchResult | None, list[Item]]:
        """The result of what was committed, if anything was, and the other items.

        After an error of the database, the caller has to commit all of them.
        """
        self.cpu_s = 0.0
        if len(items) > MOST_ITEMS or connection.vendor != "postgresql" or not rule_cache().is_current:
            return None, items
        began = time.thread_time()
        timing = store.timing()
        candidates = online_reports.candidates(items, timing)
        if not candidates:
            return None, items
        sql, values = online_reports.statement(candidates.values())
        self.cpu_s = time.thread_time() - began
        try:
            row = await self._connection.fetch_prepared(sql, values)
        except AnyDatabaseError as error:
            log.warning("loop_connection_failed", error=str(error).strip())
            return None, items
        began = time.thread_time()
        written = online_reports.written(items, candidates, row)
        if written.terminals:
            feed().committed(written.change)
            instruments.INGEST_REPORTS.labels("committed").inc(written.inserted)
        result = BatchResult({}, timing, settings.NODE, reports=written.reports)
        self.cpu_s += time.thread_time() - began
        return result, list(written.rest)

    @property
    def backend_pid(self) -> int | None:
        """Of the server's process; None without a connection."""
        return self._connection.backend_pid

    async def close(self) -> None:
        await self._connection.close()
