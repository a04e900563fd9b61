"""This process's batch: links add items, one task commits them together and notifies the links of the outcome.

While the database is unavailable nothing is acknowledged and nothing is dropped. Once the waiting items weigh
`PENDING_LIMIT`, links are not read any further, so that memory stays bounded.

A terminal with a backlog delays the others by one short flush at most: backlogs are committed in flushes of their own,
which are small and leave time in between.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db import Error as AnyDatabaseError

from tms.ingest import commit
from tms.ingest.batch_result import BatchResult
from tms.ingest.commit.loop_writer import LoopWriter
from tms.ingest.fairness.waiting_items import WaitingItems
from tms.ingest.items import Booted, CommandAnswered, Item, Reported
from tms.lib.db.thread import DatabaseThread
from tms.metrics import instruments

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 0.2
MAX_RETRY_S = 2.0

LATE_S = 6.0
"""This node is unhealthy if items have waited for this long without a commit."""

FLUSH_SHARE = 0.05
"""Share of a core that flushes may take, ours and PostgreSQL's together, before reports are gathered for longer."""
STATEMENT_S = 0.0004
"""CPU time of a statement from the event loop in libpq and PostgreSQL, however many reports it carries."""
TRANSACTION_FACTOR = 2
"""CPU time of a flush in the thread and in PostgreSQL, by that of the thread."""
BOOTS_SHARE = 0.25
"""Part of the longest interval after a flush with boots. They are few at a time, because the acceptor limits them:
each one that waits for its answer delays the next terminal.
"""

ENOUGH_REPORTS = 500
"""Reports that do not wait for more: shared by so many, the fixed cost of a flush is small."""

BACKLOG_LIMIT = 100
"""Weight of a flush of backlogs: about half of its time is its fixed cost, and others wait for it."""
BACKLOG_PAUSE = 3.0
"""Time between two flushes of backlogs, by how long the first one took: most reports of others find no flush in
progress, and there is CPU time left for everything else.
"""
MAX_PAUSE_S = 1.0
ALONE_S = 1.0
"""There is no pause if nothing but backlogs was committed for this long, as after an outage of the database."""

CANCEL_S = 1.0
"""How long `stop` waits for the server to cancel a statement in progress."""

READ_ONLY = "25006"
"""SQLSTATE of a write to a read-only server: this node is still connected to the primary of before a failover."""
TOO_LARGE = "54"
"""Class of SQLSTATEs for exceeding a limit of the database, which a retry would exceed again."""

type Part = tuple[Sequence[Item], BatchResult | None]
"""Items that were committed together, with their result; None if they could not be committed. What the event loop
committed is only in the result.
"""


class Batch:
    """Use it from one event loop; links are notified in it."""

    def __init__(
        self, write: Callable[[Sequence[Item]], BatchResult] = commit.write, loop_writer: LoopWriter | None = None
    ) -> None:
        """`loop_writer` commits what it can of small batches from the event loop; `write` the rest, in a thread."""
        self._write = write
        self._loop_writer = loop_writer
        self._waiting = WaitingItems()
        self._writing = 0
        self._costs_s = 0.0, 0.0
        """CPU time of the last two flushes, ours and PostgreSQL's together, without those of backlogs."""
        self._cost_s = 0.0
        """CPU time of the last flush of any kind."""
        self._due_at = self._backlog_due_at = 0.0
        self._is_backlogs_turn = False
        """Whether a backlog goes first if both are due."""
        self._progress_at = time.monotonic()
        self._is_due_sooner = asyncio.Event()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._room.set()
        self._idle.set()
        # One writer: SQLite has only one, and on PostgreSQL one set-based statement at a time preserves their order.
        self._thread = DatabaseThread("ingest")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._flush_forever(), name="ingest")

    @property
    def pending(self) -> int:
        return self._waiting.count + self._writing

    @property
    def problem(self) -> str:
        """The problem in words: items wait, and none was committed for too long. Empty if there is none."""
        late_s = time.monotonic() - self._progress_at
        pending = self.pending
        return f"no commit for {late_s:.0f} s while {pending} items wait" if pending and late_s > LATE_S else ""

    def add(self, item: Item) -> None:
        waiting = self._waiting
        if not self.pending:
            # An idle node makes no progress either: its time without a commit begins with the first item.
            self._progress_at = time.monotonic()
        few, backlogs = waiting.few_weight, waiting.backlog_weight
        waiting.add(item)
        self._idle.clear()
        if waiting.few_weight + waiting.backlog_weight >= settings.PENDING_LIMIT:
            self._room.clear()
        # The task sleeps until a known instant. It must look again only if that may have become earlier.
        is_first = not few or (not backlogs and waiting.backlog_weight)
        if is_first or waiting.few_weight >= self._gathered:
            self._is_due_sooner.set()

    @property
    def has_room(self) -> bool:
        return self._room.is_set()

    @property
    def has_room_for_backlogs(self) -> bool:
        """Terminals with a backlog leave room for all others."""
        return self._waiting.backlog_weight < settings.PENDING_LIMIT / 2

    async def room(self) -> None:
        """Wait until the batch accepts more items."""
        await self._room.wait()

    async def wait_until_idle(self) -> None:
        """Wait until everything that was added is committed."""
        await self._idle.wait()

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_S)
            task.cancel()  # psycopg no longer waits for the server to cancel a statement
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._loop_writer is not None:
            await self._loop_writer.close()
        await self._thread.leave()

    async def _flush_forever(self) -> None:
        """The first item after a pause is committed at once; under load see `batch_wait_s`."""
        while True:
            while (wait_s := self._wait_s()) is None or wait_s > 0:
                await self._gather(wait_s)
            await asyncio.sleep(0)  # what else has arrived goes along
            began, is_of_backlogs = time.monotonic(), self._may_take_backlogs()
            items = self._take(is_of_backlogs)
            try:
                await self._flush(items)
            except Exception:
                log.exception("flush_failed")
            self._plan(items, began, is_of_backlogs=is_of_backlogs)

    def _wait_s(self) -> float | None:
        """Seconds until a flush is due; None if nothing waits."""
        now, due = time.monotonic(), list[float]()
        if self._waiting.few_weight:
            due.append(0.0 if self._waiting.few_weight >= self._gathered else self._due_at - now)
        if self._waiting.backlog_weight:
            due.append(self._backlog_due_at - now)
        return min(due, default=None)

    async def _gather(self, wait_s: float | None) -> None:
        """Wait for more items, unless there are enough."""
        self._is_due_sooner.clear()
        if wait_s is None:
            await self._is_due_sooner.wait()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._is_due_sooner.wait()

    @property
    def _gathered(self) -> int:
        return min(ENOUGH_REPORTS, settings.FLUSH_LIMIT)

    def _may_take_backlogs(self) -> bool:
        """Whether a flush may take backlogs. If ordinary items are due, too, they take turns."""
        if not self._waiting.backlog_weight or time.monotonic() < self._backlog_due_at:
            return False
        return self._is_backlogs_turn or not self._waiting.few_weight

    def _take(self, is_of_backlogs: bool) -> list[Item]:
        if is_of_backlogs:
            items = self._waiting.take_of_backlogs(min(BACKLOG_LIMIT, settings.FLUSH_LIMIT))
        else:
            items = self._waiting.take_few(settings.FLUSH_LIMIT)
        self._writing = len(items)
        instruments.INGEST_PENDING.set(self.pending)
        # Room is made when items are taken, not when they are committed: a flush in progress is bounded by FLUSH_LIMIT.
        if self._waiting.weight < settings.PENDING_LIMIT:
            self._room.set()
        return items

    def _plan(self, items: Sequence[Item], began: float, *, is_of_backlogs: bool) -> None:
        """Set when the next flush of this kind is due."""
        now = time.monotonic()
        self._is_backlogs_turn = not is_of_backlogs
        if is_of_backlogs:
            is_alone = now - self._due_at > ALONE_S
            self._backlog_due_at = now + (0.0 if is_alone else min(MAX_PAUSE_S, BACKLOG_PAUSE * (now - began)))
        else:
            # The smaller of two costs: one flush that was slow for another reason must not slow down the next ones.
            self._costs_s = self._costs_s[1], self._cost_s
            self._due_at = began + batch_wait_s(items, min(self._costs_s))

    async def _flush(self, items: list[Item]) -> None:
        try:
            parts = await self._commit_at_last(items)
            self._progress_at = time.monotonic()
            for part, result in parts:
                self._notify(part, result)
        finally:
            self._writing = 0
            if not self._waiting.count:
                self._idle.set()
            instruments.INGEST_PENDING.set(self.pending)

    async def _commit_at_last(self, items: list[Item]) -> list[Part]:
        """Retries while the database is unavailable."""
        wait = FIRST_RETRY_S
        while True:
            try:
                return await self._commit_all(items)
            except AnyDatabaseError as error:
                instruments.INGEST_FLUSHES.labels("away").inc()
                log.warning("database_away", error=str(error).strip(), pending=self.pending)
                await asyncio.sleep(wait)
                wait = min(2 * wait, MAX_RETRY_S)

    async def _commit_all(self, items: list[Item]) -> list[Part]:
        """Commit `items`. If this raises, some may be committed. Committing them again with the others changes
        nothing.
        """
        cost_s, parts = 0.0, list[Part]()
        # The thread gets what the loop writer leaves over: a transaction costs more than its single statement.
        if self._loop_writer is not None:
            began = time.monotonic()
            result, items = await self._loop_writer.write(items)
            if result is not None:
                cost_s += self._loop_writer.cpu_s + STATEMENT_S
                instruments.INGEST_FLUSH_SECONDS.observe(time.monotonic() - began)
                instruments.INGEST_FLUSHES.labels("committed").inc()
                parts.append(([], result))
        if items:
            committed, cpu_s = await self._thread.run(self._commit_timed, items)
            cost_s += TRANSACTION_FACTOR * cpu_s
            parts += committed
        self._cost_s = cost_s
        return parts

    def _notify(self, items: Sequence[Item], result: BatchResult | None) -> None:
        for item in items:
            if isinstance(item, Booted):
                _call(item.link.on_booted, item.outcome if result else None)
            elif result is None and isinstance(item, Reported):
                _call(item.link.on_rejected, item.report)
            elif result is None and isinstance(item, CommandAnswered):
                _call(item.link.on_answered, item.answer)  # sent again, it would fail again
        if result is None:
            return
        for link in dict.fromkeys(item.link for item in result.fenced):
            _call(link.on_fenced)
        now = time.monotonic()
        links = dict.fromkeys(item.link for item in result.reports)
        for item in result.reports:
            _call(item.link.on_committed, item.report)
            instruments.INGEST_ACK_SECONDS.observe(now - item.arrived)
        for answer in result.answers:
            _call(answer.link.on_answered, answer.answer)
        # One acknowledgement for each link, after all of its reports: it covers every earlier one.
        for link in links:
            _call(link.acknowledge)

    def _commit_timed(self, items: list[Item]) -> tuple[list[Part], float]:
        """The parts of a commit, and the CPU time that it took this thread."""
        began = time.thread_time()
        return self._commit(items), time.thread_time() - began

    def _commit(self, items: list[Item]) -> list[Part]:
        """Runs in the writer thread. A failing batch is narrowed down to the failing item, so that the rest is
        committed.
        """
        try:
            with instruments.INGEST_FLUSH_SECONDS.time():
                result = self._write(items)
        except Exception as error:
            if is_away(error):
                connection.close()
                raise
            return self._commit_halves(items, error)
        instruments.INGEST_FLUSHES.labels("committed").inc()
        return [(items, result)]

    def _commit_halves(self, items: list[Item], error: Exception) -> list[Part]:
        instruments.INGEST_FLUSHES.labels("split").inc()
        if len(items) == 1:
            poison = items[0]
            if isinstance(poison, Booted):
                poison.link.number = 0  # its result was rolled back, and another link will get it
            instruments.INGEST_REPORTS.labels("poison").inc(isinstance(poison, Reported))
            log.error(
                "item_refused",
                terminal=poison.link.identity.uid,
                item=type(poison).__name__,
                exc_info=error,
                expected=isinstance(error, DatabaseError),
            )
            return [(items, None)]
        half = len(items) // 2
        return self._commit(items[:half]) + self._commit(items[half:])


def batch_wait_s(items: Sequence[Item], cost_s: float) -> float:
    """Seconds from the start of a flush of `items` to the next. `cost_s`: the lower cost of the last two.

    Each flush has a cost of its own, however few reports it carries. The higher that is, the more reports the next one
    has to carry: they may then wait for up to `FLUSH_INTERVAL_S`. A single expensive flush, such as that of a boot, is
    no reason to wait.
    """
    longest_s = settings.FLUSH_INTERVAL_S
    if any(isinstance(item, Booted) for item in items):
        longest_s *= BOOTS_SHARE
    return min(longest_s, cost_s / FLUSH_SHARE)


def is_away(error: Exception) -> bool:
    """Whether a retry may succeed."""
    if not isinstance(error, AnyDatabaseError):
        return False
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if state.startswith(TOO_LARGE):
        return False
    return isinstance(error, OperationalError | InterfaceError) or state == READ_ONLY


def _call[**P](callback: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """A failing callback must not prevent the others."""
    try:
        callback(*args, **kwargs)
    except Exception:
        log.exception("link_failed")
