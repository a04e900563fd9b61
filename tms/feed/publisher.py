"""Publishes what a transaction changed, after its commit.

A process that serves or runs the clock attaches the feed to its event loop: changes of one iteration become one
message, messages are sent in order, and while Redis is unavailable changes are merged and kept in bounded memory. Any
other process (a management command) publishes each change by itself.
"""

import asyncio
import contextlib
import threading
import time
from functools import partial
from typing import NamedTuple, Self
from uuid import uuid4

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from tms.feed.change import NOTHING, Change, FeedMessage, pack
from tms.feed.viewers import NO_VIEWINGS, REPEAT_S, Viewings
from tms.lib.db.clock import db_clock
from tms.lib.per_process import per_process
from tms.metrics import instruments

log = structlog.get_logger(__name__)

GROUP = "feed"
HEARTBEAT_S = 2.0
"""Interval at which an idle publisher sends its number, so that a lost message is noticed."""
READINGS_S = 0.2
"""Interval of messages with only new readings: boards show those twice a second."""
RETRY_S = 0.5
SEND_TIMEOUT_S = 2.0
"""Timeout; the connection is closed afterwards and replaced."""


class PendingChange(NamedTuple):
    change: Change
    since: float
    """When the oldest part of it was committed; seconds since the epoch, by the database clock."""

    def merged(self, newer: Change) -> Self:
        return self._replace(change=self.change | newer)


class Feed:
    """This process's publisher."""

    def __init__(self) -> None:
        self.publisher = uuid4().hex[:12]
        self.number = 0
        self.sent_at = 0.0
        self._pending: PendingChange | None = None
        self._viewings = self._announced = NO_VIEWINGS
        self._announced_at = 0.0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._urgent = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def publish(self, change: Change) -> None:
        """Publish `change` when the current transaction commits; immediately outside of one."""
        transaction.on_commit(partial(self.publish_committed, change))

    def attach(self) -> None:
        """Send from the running event loop from now on. Idempotent."""
        loop = asyncio.get_running_loop()
        if self._loop is loop and self._task is not None and not self._task.done():
            return
        self._loop, self._wake, self._urgent = loop, asyncio.Event(), asyncio.Event()
        self._task = loop.create_task(self._send_forever(self._wake), name="feed")

    def announce_viewings(self, viewings: Viewings) -> None:
        """Publish the viewings of this process's boards; call it in the event loop."""
        if viewings == self._viewings:
            return
        self._viewings = viewings
        if self._wake is not None:
            self._wake_for(True)

    async def detach(self) -> None:
        """Send pending changes once, and stop."""
        task, self._task, self._loop = self._task, None, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        if self._pending is not None or self._viewings != self._announced:
            try:
                await self._send(self._take())
            except Exception as error:  # noqa: BLE001  (any transport's own error)
                _count_failure(error)

    def publish_committed(self, change: Change) -> None:
        """Publish a committed change; thread-safe. Never raises, because the feed is only a hint."""
        loop, wake = self._loop, self._wake
        if loop is None or wake is None or loop.is_closed():
            self._send_now(change)
            return
        with self._lock:
            self._pending = self._pending.merged(change) if self._pending else _pending(change)
        # call_soon_threadsafe would write to the loop's pipe, a system call for each commit of the loop writer.
        if _is_running(loop):
            self._wake_for(change.is_urgent)
            return
        with contextlib.suppress(RuntimeError):  # the loop is closing
            loop.call_soon_threadsafe(self._wake_for, change.is_urgent)

    def _wake_for(self, is_urgent: bool) -> None:
        assert self._wake is not None
        self._wake.set()
        if is_urgent:
            self._urgent.set()

    def _send_now(self, change: Change) -> None:
        try:
            async_to_sync(self._send)(_pending(change))
        except Exception as error:  # noqa: BLE001  (any transport's own error)
            _count_failure(error)

    def _take(self) -> PendingChange:
        with self._lock:
            pending, self._pending = self._pending, None
        return pending or _pending(NOTHING)

    def _put_back(self, pending: PendingChange) -> None:
        with self._lock:
            self._pending = pending.merged(self._pending.change) if self._pending else pending

    async def _send_forever(self, wake: asyncio.Event) -> None:
        while True:
            await self._due(wake)
            pending = self._take()
            try:
                await self._send(pending)
            except asyncio.CancelledError:
                self._put_back(pending)
                raise
            except Exception as error:  # noqa: BLE001  (any transport's own error: the change is kept and tried again)
                _count_failure(error)
                self._put_back(pending)
                await asyncio.sleep(RETRY_S)
                wake.set()

    async def _due(self, wake: asyncio.Event) -> None:
        """Wait until there is something to send. What is urgent does not wait for the interval of readings."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), HEARTBEAT_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._urgent.wait(), self.sent_at + READINGS_S - time.monotonic())
        wake.clear()
        self._urgent.clear()

    async def _send(self, pending: PendingChange) -> None:
        layer = get_channel_layer()
        viewings = self._viewings
        is_unchanged = viewings == self._announced and time.monotonic() - self._announced_at < REPEAT_S
        message = FeedMessage(
            self.publisher,
            self.number + 1,
            time.time(),
            pending.change.bounded(),
            None if is_unchanged else viewings,
            pending.since,
        )
        # Counted before it is sent: if the send fails, receivers see a gap, and read everything again.
        self.number += 1
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await layer.group_send(GROUP, {"type": "feed", "message": pack(message)})
        self.sent_at = time.monotonic()
        if not is_unchanged:
            self._announced, self._announced_at = viewings, self.sent_at
        instruments.FEED_MESSAGES.labels("sent").inc()


def _pending(change: Change) -> PendingChange:
    """`change`, which was committed just now."""
    return PendingChange(change, db_clock().now().timestamp())


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether it is the event loop of this thread."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _count_failure(error: Exception) -> None:
    instruments.FEED_FAILURES.inc()
    log.warning("feed_away", error=repr(error))


@per_process
def feed() -> Feed:
    """The publisher of this process."""
    return Feed()


def publish(change: Change) -> None:
    """Publish `change` when the current transaction commits; immediately outside of one."""
    feed().publish(change)
