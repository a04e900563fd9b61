"""The timers beside the render pass: sign-ins, the shift, heartbeats, verification."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog
from django.db import DatabaseError, InterfaceError
from msgspec import UNSET, structs

from tms.boards.live import frames
from tms.boards.live.frames import Freshness
from tms.boards.live.live_page import LivePage, PageKey
from tms.boards.live.render_worker import RenderWorker
from tms.boards.live.subscriber import Subscriber
from tms.boards.live.viewer_tracker import ViewerTracker
from tms.boards.overview.on_shift import OpenBoard
from tms.feed.change import Change

log = structlog.get_logger(__name__)

BEAT_S = 1.8
"""A subscriber gets a beat after this silence. A browser that receives nothing for 5 s shows that it is behind."""
TICK_S = 0.5
"""Interval of the checks for silent subscribers, expired viewings and a due verification."""
SIGN_IN_CHECK_S = 4.0
"""Interval of the check of sign-ins and rights (R14: a board closes within 5 s of the sign-out)."""
NOTE_USE_S = 60.0
SHIFT_REPORT_S = 5.0
PAUSE_S = 1.0
"""After an error."""

type LivePages = Mapping[PageKey, LivePage]


class PeriodicTask:
    """Awaits `run` at an interval, and at once after `wake`. An error is logged, and followed by a pause."""

    def __init__(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._run = run
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, interval_s: float) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run_forever(interval_s), name=self.name)

    async def stop(self) -> None:
        self._cancel_timer()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wake(self) -> None:
        self._wake.set()

    def wake_in(self, delay_s: float) -> None:
        """At that time, unless it was to be woken earlier."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, delay_s), self.wake)

    async def _run_forever(self, interval_s: float) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), interval_s)
            self._wake.clear()
            self._cancel_timer()
            try:
                await self._run()
            except (DatabaseError, InterfaceError) as error:
                log.warning("boards_away", task=self.name, error=str(error).strip())
                await asyncio.sleep(PAUSE_S)
            except Exception:
                log.exception("boards_failed", task=self.name)
                await asyncio.sleep(PAUSE_S)


class ShiftReport:
    """Reports who has a board of this process open, and publishes arrivals and departures to its boards.

    It reports before it collects the change, so that a page with the shift reads the new report.
    """

    def __init__(self, pages: LivePages, worker: RenderWorker, collect: Callable[[Change], None]) -> None:
        self._pages = pages
        self._worker = worker
        self._collect = collect
        self.changed: set[int] = set()
        """People who opened or closed a board since the last report, by primary key."""

    async def run(self) -> None:
        changed, self.changed = self.changed, set()
        here = {
            each.person: OpenBoard(page.page.kind, page.page.scope)
            for page in self._pages.values()
            for each in page.subscribers
            if each.person is not None
        }
        await self._worker.report_shift(here, left=changed - here.keys())
        if changed:
            self._collect(Change(people=frozenset(changed)))


class HeartbeatTask:
    """Sends a beat to silent subscribers, and expires viewings."""

    def __init__(self, pages: LivePages, viewers: ViewerTracker, freshness: Callable[[], Freshness]) -> None:
        self._pages = pages
        self._viewers = viewers
        self._freshness = freshness

    async def run(self) -> None:
        now = time.monotonic()
        self._viewers.expire(now=now)
        silent = [each for each in subscribers_of(self._pages) if now - each.sent_at >= BEAT_S and not each.is_lagging]
        if silent:
            freshness = self._freshness()
            encoded = {True: frames.beat(freshness), False: frames.beat(structs.replace(freshness, database=UNSET))}
            for subscriber in silent:
                subscriber.beat(freshness, encoded, now=now)


class VerificationTask:
    """Compares the boards with the database when due, between two render passes."""

    def __init__(
        self, pages: LivePages, worker: RenderWorker, passes: asyncio.Lock, on_difference: Callable[[], None]
    ) -> None:
        self._pages = pages
        self._worker = worker
        self._passes = passes
        self._on_difference = on_difference

    async def run(self) -> None:
        if not self._pages or not self._worker.is_verification_due:
            return
        async with self._passes:
            if await self._worker.verify():
                self._on_difference()


def subscribers_of(pages: LivePages) -> Collection[Subscriber]:
    return [subscriber for page in pages.values() for subscriber in page.subscribers]
