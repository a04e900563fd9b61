"""Paints the boards of this process. The event loop collects and sends; one thread reads and renders."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Set
from datetime import UTC, datetime
from functools import cache

import structlog
from django.conf import settings
from msgspec import UNSET, structs

from tms.boards.caches.census_cache import census_cache
from tms.boards.caches.plans import plan_cache
from tms.boards.caches.sound_alarms import alarm_cache
from tms.boards.live import frames
from tms.boards.live.frames import Freshness, PendingUpdate
from tms.boards.live.latency import BoardLatency
from tms.boards.live.live_page import LivePage, Rendering
from tms.boards.live.render_worker import AWAY, Failure, RenderOutcome, RenderWorker
from tms.boards.live.subscriber import Subscriber
from tms.boards.live.viewer_tracker import ViewerTracker
from tms.boards.pages import Page
from tms.boards.pages.base import EVERYTHING
from tms.feed.change import NOTHING, Change
from tms.feed.hub import Listener, hub
from tms.feed.viewers import Viewing
from tms.lib.db.clock import wall
from tms.metrics import instruments

log = structlog.get_logger(__name__)

BEAT_S = 1.8
"""A browser that hears nothing for 5 s says that it is behind."""
LOOK_S = 0.5
"""How often it looks at what is due and at readers that lagged, when nothing changes."""
SIGNED_IN_S = 4.0
"""How often the sign-ins behind the seats are looked at (R14: a board closes within 5 s)."""
SHIFT_S = 5.0
QUIET_FEED_S = 3.0
"""The feed speaks every 2 s by itself; a longer silence is told."""
LATE_S = 1.0
"""A change that waits longer than this is told."""
SIGN_IN_AGAIN = 4401
"""The close code after which a browser goes to the sign-in page."""
GONE = 4404
"""The close code of a board whose terminal or alert was deleted."""

LISTENERS: frozenset[Listener] = frozenset({census_cache, plan_cache, alarm_cache})
"""What boards are painted from, besides the database."""


class BoardHub:
    """Hears of changes, coalesces them, and four to ten times a second sends what they changed."""

    def __init__(self) -> None:
        self.live_pages: dict[tuple[str, str], LivePage] = {}
        self.render_worker = RenderWorker()
        self._latency = BoardLatency()
        self.viewer_tracker = ViewerTracker()
        self._change = NOTHING
        self._changed_at: float | None = None
        self._rendering_since: float | None = None
        self._newest_at: datetime | None = None
        self._pass_cpu_s = 0.0
        """CPU of the last pass."""
        self._signed_in_at = self._shift_at = self._started_at = time.monotonic()
        self._shift_changed: set[int] = set()
        """People who took or left a seat, which was not told yet."""
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # What others call, in the event loop

    def start(self) -> None:
        """Call it as often as you like."""
        if self._tasks:
            return
        hub.listeners |= LISTENERS | {self}
        hub.start()
        loop = asyncio.get_running_loop()
        work = {"boards": self.run_once, "beats": self._beat}
        self._tasks = [loop.create_task(self._forever(what), name=name) for name, what in work.items()]

    async def stop(self) -> None:
        hub.listeners -= LISTENERS | {self}
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self.render_worker.close()

    def changed(self, change: Change) -> None:
        """A listener of the hub."""
        if change.terminals:
            self._newest_at = datetime.now(UTC)
        if change.people:
            self._signed_in_at = 0.0
        if change.everything:
            self._ask_repaint()
        self.collect(change)

    def subscribe(self, page: Page, language: str, subscriber: Subscriber) -> LivePage:
        """Give `subscriber` its place.

        Whoever may watch may see every row (`tms.accounts.access`), so that one show serves all of them; once people
        see different rows, what they may see belongs into the key.
        """
        key = (page.address, language)
        live_page = self.live_pages.setdefault(key, LivePage(page, language))
        live_page.subscribers.add(subscriber)
        instruments.BOARDS.inc()
        self._note_shift_change(subscriber)
        return live_page

    def unsubscribe(self, live_page: LivePage, subscriber: Subscriber) -> None:
        live_page.subscribers.discard(subscriber)
        self.viewer_tracker.leave(subscriber)
        instruments.BOARDS.dec()
        if not live_page.subscribers:
            self.live_pages.pop((live_page.page.address, live_page.language), None)
        self._note_shift_change(subscriber)

    def repaint(self, subscriber: Subscriber) -> None:
        subscriber.ask_repaint()
        self._wake.set()

    def set_viewing(self, live_page: LivePage, subscriber: Subscriber, viewing: Viewing) -> None:
        """The person is at an alert or incident of the page now; at none for any that it does not show."""
        if live_page.has_element(viewing.element_id):
            self.viewer_tracker.set_viewing(subscriber, viewing, now=time.monotonic())
        else:
            self.viewer_tracker.leave(subscriber)

    # What it does by itself

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except AWAY as error:
                log.warning("boards_away", error=str(error).strip())
                await asyncio.sleep(LATE_S)
            except Exception:
                log.exception("boards_failed")
                await asyncio.sleep(LATE_S)

    async def run_once(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), LOOK_S)
        self._wake.clear()
        began = time.monotonic()
        await self._look(began)
        await self._render()
        await self._verify()
        wait = render_interval(self._pass_cpu_s, most_s=settings.FRAME_INTERVAL_S)
        await asyncio.sleep(max(0.0, began + wait - time.monotonic()))

    async def _render(self) -> None:
        change, now = self.take(), time.monotonic()
        calls = alarm_cache.is_due
        due = [live_page for live_page in self.live_pages.values() if calls or live_page.is_due(change, now=now)]
        try:
            outcomes = await self.render_worker.render(due, change) if due else {}
        except AWAY:
            self.restore(change)
            raise
        rendered = [
            (made.page_state, live_page.page_state is None)
            for live_page, made in outcomes.items()
            if isinstance(made, Rendering)
        ]
        self._send(outcomes)
        self._latency.sent(rendered, change, at=wall.now())
        self._rendering_since = None

    def _send(self, outcomes: Mapping[LivePage, RenderOutcome]) -> None:
        began = time.thread_time()
        news = {live_page: self._commit(live_page, outcome) for live_page, outcome in outcomes.items()}
        freshness, now = self._freshness(), time.monotonic()
        for live_page in self.live_pages.values():
            live_page.send(news.get(live_page, PendingUpdate()), freshness, now=now)
        rendering_s = self.render_worker.rendering_s if outcomes else 0.0
        self._pass_cpu_s = rendering_s + time.thread_time() - began

    def _commit(self, live_page: LivePage, outcome: RenderOutcome) -> PendingUpdate:
        """What its seats are owed now."""
        if isinstance(outcome, Rendering):
            live_page.commit(outcome, now=time.monotonic())
            return outcome.pending
        live_page.has_missed = True
        if outcome is Failure.GONE:
            self._close_subscribers(live_page.subscribers, GONE, "it does not exist any more")
        return PendingUpdate()

    async def _verify(self) -> None:
        if self.live_pages and await self.render_worker.verify():
            instruments.BOARD_DIVERGED.inc()
            census_cache.changed(EVERYTHING)
            self._ask_repaint()
            self.collect(EVERYTHING)

    async def _look(self, now: float) -> None:
        """Whether people are still signed in, and telling who is on shift."""
        subscribers = [subscriber for live_page in self.live_pages.values() for subscriber in live_page.subscribers]
        if now - self._signed_in_at >= SIGNED_IN_S:
            self._signed_in_at = now
            good = await self.render_worker.signed_in({subscriber.session for subscriber in subscribers})
            self._close_subscribers(
                {subscriber for subscriber in subscribers if subscriber.session not in good},
                SIGN_IN_AGAIN,
                "sign in again",
            )
        if self._shift_changed or now - self._shift_at >= SHIFT_S:
            self._shift_at = now
            await self._report_shift()

    async def _report_shift(self) -> None:
        """Whoever moves meanwhile is told of by the next pass: a board that shows the shift reads what was told."""
        shift_changed, self._shift_changed = self._shift_changed, set()
        here = {
            subscriber.person: live_page.page.kind
            for live_page in self.live_pages.values()
            for subscriber in live_page.subscribers
        }
        await self.render_worker.report_shift(here, left=shift_changed - here.keys())
        if shift_changed:
            self.collect(Change(people=frozenset(shift_changed)))

    def _close_subscribers(self, subscribers: Set[Subscriber], code: int, reason: str) -> None:
        for subscriber in subscribers:
            subscriber.wire.close(code, reason)
        for live_page in self.live_pages.values():
            live_page.subscribers = live_page.subscribers - subscribers

    async def _beat(self) -> None:
        await asyncio.sleep(LOOK_S)
        now = time.monotonic()
        self.viewer_tracker.lapse(now=now)
        quiet = [
            subscriber
            for live_page in self.live_pages.values()
            for subscriber in live_page.subscribers
            if now - subscriber.sent_at >= BEAT_S
        ]
        if quiet:
            freshness = self._freshness()
            encoded = {True: frames.beat(freshness), False: frames.beat(structs.replace(freshness, database=UNSET))}
            for subscriber in quiet:
                if not subscriber.is_lagging:
                    subscriber.beat(freshness, encoded, now=now)

    def _freshness(self) -> Freshness:
        now = time.monotonic()
        return Freshness(
            at=datetime.now(UTC),
            newest_at=self._newest_at or self.render_worker.newest_at,
            behind_s=round(max(self._waited(now), self._feed_quiet(now)), 1),
            gaps=hub.gaps,
            database=self.render_worker.verifier.verdict,
        )

    def _waited(self, now: float) -> float:
        since = self._rendering_since if self._rendering_since is not None else self._changed_at
        waited = 0.0 if since is None else now - since
        return waited if waited > LATE_S else 0.0

    def _feed_quiet(self, now: float) -> float:
        quiet = now - max(hub.heard_at, self._started_at)
        return quiet if quiet > QUIET_FEED_S else 0.0

    # What has changed and was not painted yet

    def _note_shift_change(self, subscriber: Subscriber) -> None:
        """Somebody came or went: the next pass tells whoever shows the shift."""
        self._shift_changed.add(subscriber.person)
        self._wake.set()

    def collect(self, change: Change) -> None:
        self._change |= change
        if self._changed_at is None:
            self._changed_at = time.monotonic()
        self._wake.set()

    def take(self) -> Change:
        change, self._change = self._change, NOTHING
        self._rendering_since, self._changed_at = self._changed_at, None
        return change

    def restore(self, change: Change) -> None:
        self._change |= change
        self._changed_at, self._rendering_since = self._rendering_since, None
        self._wake.set()

    def _ask_repaint(self) -> None:
        for live_page in self.live_pages.values():
            for subscriber in live_page.subscribers:
                subscriber.ask_repaint()


@cache
def board_hub() -> BoardHub:
    """This process's studio; made in the event loop of its first caller."""
    return BoardHub()


LEAST_S = 0.1
"""Nobody reads a number that changes more often."""


SHARE = 33
"""Painting takes one part in so many of a core, as long as `TMS_FRAME_INTERVAL_S` allows it."""


def render_interval(spent_s: float, *, most_s: float) -> float:
    """How long to gather changes after a pass that took `spent_s` of CPU: the cheaper it was, the sooner the next.

    So a change is seen soon while there is little to do, and when there is much, reports come first.
    """
    return min(most_s, max(LEAST_S, SHARE * spent_s))
