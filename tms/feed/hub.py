"""One subscription to the feed per process, and the fan-out inside it."""

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
FORGET_AFTER_S = 60.0
RETRY_S = 0.5
LET_GO_S = 1.0

EVERYTHING = Change(everything=True)


class ChangeListener(Protocol):
    """Hears of every change in this process's event loop. Must return at once: it collects, and works elsewhere."""

    def changed(self, change: Change) -> None: ...


class Hub:
    """Listens for this process and tells its listeners.

    A gap in a publisher's numbers, or a subscription that had to be made again, tells `everything`: nothing is
    replayed, whoever shows rows reads them again.
    """

    def __init__(self) -> None:
        self.listeners: set[ChangeListener] = set()
        self.viewers = Viewers()
        self.gaps = 0
        self.heard_at = 0.0
        self.subscribed = False
        self._last: dict[str, tuple[int, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Subscribe from the running event loop; call it as often as you like."""
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
        """Seconds since the feed was heard; a heartbeat comes every 2 s from this very process."""
        return time.monotonic() - self.heard_at if self.heard_at else 0.0

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
                await _let_go()
                await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        try:
            await layer.group_add(GROUP, channel)
            await self._listen_on(layer, channel)
        finally:
            with contextlib.suppress(Exception):  # the transport is away: then it forgets the channel by itself
                await layer.group_discard(GROUP, channel)

    async def _listen_on(self, layer: Any, channel: str) -> None:
        self.subscribed, self.heard_at = True, time.monotonic()
        self._last.clear()
        self._tell(EVERYTHING)
        while True:
            async with asyncio.timeout(LOST_AFTER_S):
                data = await layer.receive(channel)
            self._hear(unpack(data["message"]))

    def _hear(self, message: FeedMessage) -> None:
        now = time.monotonic()
        self.heard_at = now
        instruments.FEED_MESSAGES.labels("received").inc()
        instruments.FEED_LAG.observe(max(0.0, time.time() - message.sent_at))
        change = message.change
        if self._missed(message, now):
            self.gaps += 1
            instruments.FEED_GAPS.inc()
            log.warning("feed_gap", publisher=message.publisher, number=message.number)
            change |= EVERYTHING
        if viewings := self._looked(message, now):
            change |= Change(viewings=viewings)
        if change != NOTHING:
            self._tell(change)

    def _missed(self, message: FeedMessage, now: float) -> bool:
        last = self._last.get(message.publisher)
        self._last[message.publisher] = (message.number, now)
        if last is None:
            self._forget(now)
            return False
        return message.number != last[0] + 1

    def _looked(self, message: FeedMessage, now: float) -> frozenset[str]:
        """Where somebody is, or is not any more, as of this message."""
        lapsed = self.viewers.expire(now=now)
        if message.viewings is None:
            return lapsed
        return lapsed | self.viewers.update(message.publisher, message.viewings, now=now)

    def _forget(self, now: float) -> None:
        self._last = {name: seen for name, seen in self._last.items() if now - seen[1] < FORGET_AFTER_S}

    def _tell(self, change: Change) -> None:
        for listener in tuple(self.listeners):
            try:
                listener.changed(change)
            except Exception:
                log.exception("listener_failed")


async def _let_go() -> None:
    """Close the transport's connections. One over a network that was cut comes back seconds late: the kernel repeats
    what was lost after ever longer pauses.
    """
    with contextlib.suppress(Exception):
        async with asyncio.timeout(LET_GO_S):
            await get_channel_layer().flush()


@per_process
def hub() -> Hub:
    """The hub of this process."""
    return Hub()
