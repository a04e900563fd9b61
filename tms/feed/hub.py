"""One subscription to the feed per process, and the fan-out to its listeners."""

import asyncio
import contextlib
import time
from typing import Any, Protocol

import structlog
from channels.layers import get_channel_layer

from tms.feed.change import NOTHING, Change, FeedMessage, unpack
from tms.feed.publisher import GROUP, HEARTBEAT_S, feed
from tms.feed.viewers import Viewers
from tms.lib.per_process import per_process
from tms.metrics import instruments

log = structlog.get_logger(__name__)

LOST_AFTER_S = 3 * HEARTBEAT_S
PUBLISHER_TIMEOUT_S = 60.0
RETRY_S = 0.5
DISCONNECT_TIMEOUT_S = 1.0

FULL_CHANGE = Change(everything=True)


class ChangeListener(Protocol):
    """Receives every change in this process's event loop. Must return at once: collect now, work elsewhere."""

    def changed(self, change: Change) -> None: ...


class Hub:
    """Subscribes this process to the feed and notifies its listeners.

    A gap in a publisher's numbers, or a new subscription, is reported as `everything`. Nothing is replayed: listeners
    read their rows again.
    """

    def __init__(self) -> None:
        self.listeners: set[ChangeListener] = set()
        self.viewers = Viewers()
        self.gaps = 0
        self.received_at = 0.0
        self.committed_at = 0.0
        """When the change that is being reported was committed; seconds since the epoch, by the database clock."""
        self.subscribed = False
        self._last: dict[str, tuple[int, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Subscribe from the running event loop. Idempotent."""
        if self._task is None or self._task.done() or self._task.get_loop().is_closed():
            feed().attach()
            self._task = asyncio.get_running_loop().create_task(self._listen_forever(), name="hub")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.subscribed = False

    @property
    def is_started(self) -> bool:
        return self._task is not None

    @property
    def behind_s(self) -> float:
        """Seconds since the last message. This process alone sends a heartbeat every 2 s."""
        return time.monotonic() - self.received_at if self.received_at else 0.0

    @property
    def is_live(self) -> bool:
        return self.subscribed and self.behind_s < LOST_AFTER_S

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  (any transport's own error: subscribe again, and read everything again)
                self.subscribed = False
                instruments.FEED_FAILURES.inc()
                log.warning("hub_away", error=repr(error))
                await _disconnect()
                await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        try:
            await layer.group_add(GROUP, channel)
            await self._listen_on(layer, channel)
        finally:
            with contextlib.suppress(Exception):  # the transport is unavailable, and removes the channel by itself
                await layer.group_discard(GROUP, channel)

    async def _listen_on(self, layer: Any, channel: str) -> None:
        self.subscribed, self.received_at = True, time.monotonic()
        # Nothing is known of what was published before the subscription.
        self._last.clear()
        self._notify(FULL_CHANGE)
        while True:
            # Every process sends a heartbeat, so silence means that the subscription is lost without an error.
            async with asyncio.timeout(LOST_AFTER_S):
                data = await layer.receive(channel)
            self._receive(unpack(data["message"]))

    def _receive(self, message: FeedMessage) -> None:
        now = time.monotonic()
        self.received_at = now
        instruments.FEED_MESSAGES.labels("received").inc()
        instruments.FEED_LAG.observe(max(0.0, time.time() - message.sent_at))
        change, self.committed_at = message.change, message.committed_at or message.sent_at
        if self._note_gap(message, now):
            self.gaps += 1
            instruments.FEED_GAPS.inc()
            log.warning("feed_gap", publisher=message.publisher, number=message.number)
            change |= FULL_CHANGE
        if viewings := self._update_viewers(message, now):
            change |= Change(viewings=viewings)
        if change != NOTHING:
            self._notify(change)

    def _note_gap(self, message: FeedMessage, now: float) -> bool:
        last = self._last.get(message.publisher)
        self._last[message.publisher] = (message.number, now)
        # The first message of a publisher is no gap: this process read everything when it subscribed.
        if last is None:
            self._drop_silent_publishers(now)
            return False
        return message.number != last[0] + 1

    def _update_viewers(self, message: FeedMessage, now: float) -> frozenset[str]:
        """Element ids whose viewers this message changes."""
        lapsed = self.viewers.expire(now=now)
        if message.viewings is None:
            return lapsed
        return lapsed | self.viewers.update(message.publisher, message.viewings, now=now)

    def _drop_silent_publishers(self, now: float) -> None:
        self._last = {name: seen for name, seen in self._last.items() if now - seen[1] < PUBLISHER_TIMEOUT_S}

    def _notify(self, change: Change) -> None:
        for listener in tuple(self.listeners):
            try:
                listener.changed(change)
            except Exception:
                log.exception("listener_failed")


async def _disconnect() -> None:
    """Close the transport's connections.

    After a network outage a connection recovers seconds late, because the kernel retransmits at growing intervals.
    """
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DISCONNECT_TIMEOUT_S):
            await get_channel_layer().flush()


@per_process
def hub() -> Hub:
    """The hub of this process."""
    return Hub()
