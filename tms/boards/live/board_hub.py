"""The hub of this process's boards. The event loop collects and sends; one thread reads and renders.

    feed ── changed() ──┐                     board ── subscribe(), repaint(), unsubscribe()
                        ▼                                      ▼
    tasks ──────── collect()                               LivePage × n      one for equal pages of one scope
                        │ _change, since _changed_at           │ due()
                        ▼                                      ▼
    pass task ───── take() ──── _rendering_since ────▶ RenderWorker (thread): reads rows, renders what differs
                        ▲                                      │ Rendering, or Failure
                        │ restore() if the pass failed         ▼
                        └───────────────────────────── _commit(), _send() ──▶ Subscriber × n ──▶ sockets
                                                               │
                         _partial_since, _partial_change ◀─────┘ if rows of a page remain for the next pass

A change waits in three places: until a pass takes it, while it is rendered, and while rows of a page remain. The oldest
of the three instants says how far boards are behind. `_pass_at` and `_pass_cpu_s` pace the passes.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Set
from datetime import UTC, datetime

from django.conf import settings

from tms.boards.caches.census_cache import census_cache
from tms.boards.caches.sound_alarms import alarm_cache
from tms.boards.live import tasks
from tms.boards.live.frames import Freshness, PendingUpdate
from tms.boards.live.latency import BoardLatency
from tms.boards.live.live_page import Due, LivePage, PageKey, Rendering
from tms.boards.live.render_worker import AWAY, Failure, RenderOutcome, RenderWorker
from tms.boards.live.rights_check import RightsCheck
from tms.boards.live.subscriber import Subscriber, ViewerId
from tms.boards.live.tasks import HeartbeatTask, PeriodicTask, ShiftReport, VerificationTask
from tms.boards.live.viewer_tracker import ViewerTracker
from tms.boards.pages import BoardPage
from tms.boards.pages.base import FULL_CHANGE
from tms.feed.change import NOTHING, Change
from tms.feed.hub import hub
from tms.feed.viewers import Viewing
from tms.lib.db.clock import db_clock
from tms.lib.per_process import per_process
from tms.metrics import instruments

PASS_S = 0.5
"""Interval of render passes without changes, for pages that age and for slow readers."""
FEED_SILENCE_S = 3.0
"""The feed sends a heartbeat every 2 s; a longer silence counts as being behind."""
LATE_S = 1.0
"""A change that waits longer than this counts as being behind."""
GONE = 4404
"""The close code of a board whose terminal, alert or incident was deleted, or left the scope."""
MIN_INTERVAL_S = 0.1
"""Updating a number more often than this is of no use to people."""
READINGS_FACTOR = 2
"""Readings alone wait this many times `TMS_FRAME_INTERVAL_S`: a pass has a cost of its own, and nobody reads faster."""
MAX_STATUSES = 100
"""Statuses of one change that are looked up on each page. With more, boards probably show one of them."""
CPU_SHARE = 33
"""Rendering uses at most this fraction (one n-th) of a core, as far as `TMS_FRAME_INTERVAL_S` allows."""
STORM_SHARE = 10
"""The fraction (one n-th) of a core that rendering may use while a fleet is lost or comes back, as far as the
interval of readings allows: boots need the CPU, and totals still change twice a second.
"""


class BoardHub:
    """Fan-out to the boards of this process: collects changes, renders each due page once, sends what changed.

    Methods without an underscore are called in the event loop.
    """

    def __init__(self) -> None:
        self.live_pages: dict[PageKey, LivePage] = {}
        self.render_worker = RenderWorker()
        self.viewer_tracker = ViewerTracker()
        self._latency = BoardLatency()
        self._change = NOTHING
        self._is_urgent = False
        self._changed_at: float | None = None
        self._rendering_since: float | None = None
        self._partial_since: float | None = None
        """The time since which a page has had rows that remain to be rendered."""
        self._partial_change = NOTHING
        """What changed since then."""
        self._newest_at: datetime | None = None
        self._pass_cpu_s = 0.0
        self._pass_at = 0.0
        self._started_at = time.monotonic()
        self._passes = asyncio.Lock()
        self._is_started = False
        self._make_tasks()

    def _make_tasks(self) -> None:
        pages, worker = self.live_pages, self.render_worker
        self._shift_report = ShiftReport(pages, worker, self.collect)
        self._rights_check = RightsCheck(pages, worker, self._close)
        beats = HeartbeatTask(pages, self.viewer_tracker, self._freshness)
        verification = VerificationTask(pages, worker, self._passes, self._start_over)
        self._pass_task = PeriodicTask("boards", self.run_once)
        self._rights_task = PeriodicTask("rights", self._rights_check.run)
        self._shift_task = PeriodicTask("shift", self._shift_report.run)
        self._beat_task = PeriodicTask("beats", beats.run)
        self._verification_task = PeriodicTask("verification", verification.run)

    def _intervals(self) -> Mapping[PeriodicTask, float]:
        return {
            self._pass_task: PASS_S,
            self._rights_task: tasks.SIGN_IN_CHECK_S,
            self._shift_task: tasks.SHIFT_REPORT_S,
            self._beat_task: tasks.TICK_S,
            self._verification_task: tasks.TICK_S,
        }

    def start(self) -> None:
        """Start the periodic tasks. Idempotent."""
        if not self._is_started:
            self._is_started = True
            for task, interval_s in self._intervals().items():
                task.start(interval_s)

    async def stop(self) -> None:
        for task in self._intervals():
            await task.stop()
        self._is_started = False
        await self.render_worker.close()

    def changed(self, change: Change) -> None:
        """Receives changes from the feed's hub."""
        if change.terminals:
            self._newest_at = datetime.now(UTC)
        viewers = {ViewerId("person", pk) for pk in change.people} | {ViewerId("screen", pk) for pk in change.screens}
        if viewers:
            self._rights_check.name(viewers, committed_at=hub().committed_at)
            self._rights_task.wake()
        if change.everything:
            self._rights_check.check_all()
            self._rights_task.wake()
            self._repaint_all()
        self.collect(change)

    def subscribe(self, page: BoardPage, language: str, subscriber: Subscriber) -> LivePage:
        """Add a subscriber to the live page of `page`, which everyone with the same scope shares.

        What a person may do is part of the document around the page (`data-may`), so that only the scope matters here.
        """
        live_page = LivePage(page, language)
        live_page = self.live_pages.setdefault(live_page.key, live_page)
        live_page.subscribers.add(subscriber)
        instruments.BOARDS.inc()
        self._rights_check.add(subscriber)
        self._rights_task.wake()
        self._note_shift_change(subscriber)
        return live_page

    def unsubscribe(self, live_page: LivePage, subscriber: Subscriber) -> None:
        live_page.subscribers.discard(subscriber)
        self.viewer_tracker.leave(subscriber)
        instruments.BOARDS.dec()
        # Sockets that the hub closed end later: by then others may have opened the page again.
        if not live_page.subscribers and self.live_pages.get(live_page.key) is live_page:
            del self.live_pages[live_page.key]
        self._note_shift_change(subscriber)

    def repaint(self, subscriber: Subscriber) -> None:
        subscriber.request_repaint()
        self._pass_task.wake()

    def set_viewing(self, live_page: LivePage, subscriber: Subscriber, viewing: Viewing) -> None:
        """Set what the subscriber views: an alert or incident of the page; nothing when the page does not show it."""
        if live_page.has_element(viewing.element_id):
            self.viewer_tracker.set_viewing(subscriber, viewing, now=time.monotonic())
        else:
            self.viewer_tracker.leave(subscriber)

    def collect(self, change: Change) -> None:
        self._change |= change
        now = time.monotonic()
        if self._changed_at is None:
            self._changed_at = now
        if self.is_shown_at_once(change):
            self._is_urgent = True
            self._pass_task.wake()
        else:
            self._pass_task.wake_in(self._pass_at + READINGS_FACTOR * settings.FRAME_INTERVAL_S - now)

    def is_shown_at_once(self, change: Change) -> bool:
        """Whether it is more than readings, and more than the status of terminals that no board shows."""
        if change.is_more_than_status or len(change.status) > MAX_STATUSES:
            return True
        return bool(change.status) and any(page.shows_status(change.status) for page in self.live_pages.values())

    def take(self) -> Change:
        change, self._change = self._change, NOTHING
        self._rendering_since, self._changed_at = self._changed_at, None
        return change

    def restore(self, change: Change) -> None:
        """Undo `take` after a failed pass."""
        self._change |= change
        # Without a change in the pass, the first one may have arrived during it.
        self._changed_at, self._rendering_since = self._rendering_since or self._changed_at, None
        self._pass_task.wake()

    async def run_once(self) -> None:
        """One render pass. Unless it has only readings, a pause follows, so that a board gets few frames per second.

        A changed shift is reported first: the same pass shows it.
        """
        began = self._pass_at = time.monotonic()
        is_urgent, self._is_urgent = self._is_urgent, False
        async with self._passes:
            if self._shift_report.changed:
                await self._shift_report.run()
            await self._render()
        has_more = self._partial_since is not None
        if is_urgent or has_more:
            wait = render_interval(self._pass_cpu_s, max_s=settings.FRAME_INTERVAL_S)
            await asyncio.sleep(max(0.0, began + wait - time.monotonic()))
        if has_more:
            self._pass_task.wake()

    async def _render(self) -> None:
        change, now = self.take(), time.monotonic()
        sending_s = 0.0
        try:
            due = await self._due(change, now=now)
            async for live_page, outcome in self.render_worker.render(due):
                began = time.thread_time()
                self._send(live_page, outcome, due[live_page].change)
                sending_s += time.thread_time() - began
        except AWAY:
            self.restore(change)
            raise
        except Exception:  # perhaps of a row that the change names
            self.restore(FULL_CHANGE)
            raise
        self._send_pending([live_page for live_page in self.live_pages.values() if live_page not in due])
        self._latency.note_sent(at=db_clock().now())
        self._note_partial(change, now=now)
        self._rendering_since = None
        self._pass_cpu_s = self.render_worker.rendering_s + sending_s

    async def _due(self, change: Change, *, now: float) -> dict[LivePage, Due]:
        """The pages that `change` concerns, as far as it lies in their scope, or that have become old."""
        pages = tuple(self.live_pages.values())
        changes = await self.render_worker.narrowed(change, {live_page.page.scope for live_page in pages})
        stale = {scope for scope in changes if alarm_cache().of(scope).is_stale}
        found = (
            (page, page.due(changes[page.page.scope], has_stale_alarms=page.page.scope in stale, now=now))
            for page in pages
        )
        return {page: due for page, due in found if due is not None}

    def _note_partial(self, change: Change, *, now: float) -> None:
        if any(live_page.is_partial for live_page in self.live_pages.values()):
            self._partial_since = self._partial_since or self._rendering_since or now
            self._partial_change |= change
        else:
            self._partial_since, self._partial_change = None, NOTHING

    def _send(self, live_page: LivePage, outcome: RenderOutcome, change: Change) -> None:
        is_first = live_page.page_state is None
        live_page.send(self._commit(live_page, outcome), self._freshness(), now=time.monotonic())
        if isinstance(outcome, Rendering):
            since = change | self._partial_change
            self._latency.observe(outcome.shown, since, is_first=is_first, at=db_clock().now())

    def _send_pending(self, live_pages: Collection[LivePage]) -> None:
        """What slow readers have not received."""
        freshness, now = self._freshness(), time.monotonic()
        for live_page in live_pages:
            live_page.send(PendingUpdate(), freshness, now=now)

    def _commit(self, live_page: LivePage, outcome: RenderOutcome) -> PendingUpdate:
        """Returns the update for the page's subscribers."""
        if isinstance(outcome, Rendering):
            live_page.commit(outcome, now=time.monotonic())
            return outcome.pending
        live_page.has_missed = True
        if outcome is Failure.GONE:
            self._close(live_page.subscribers, GONE, "it does not exist any more")
        return PendingUpdate()

    def _close(self, subscribers: Set[Subscriber], code: int, reason: str) -> None:
        for subscriber in subscribers:
            subscriber.wire.close(code, reason)
        for live_page in self.live_pages.values():
            live_page.subscribers = live_page.subscribers - subscribers

    def _start_over(self) -> None:
        """Count again and repaint every board, after a mismatch with the database."""
        instruments.BOARD_DIVERGED.inc()
        census_cache().changed(FULL_CHANGE)
        self._repaint_all()
        self.collect(FULL_CHANGE)

    def _repaint_all(self) -> None:
        for subscriber in tasks.subscribers_of(self.live_pages):
            subscriber.request_repaint()

    def _note_shift_change(self, subscriber: Subscriber) -> None:
        if subscriber.person is not None:
            self._shift_report.changed.add(subscriber.person)
        self._pass_task.wake()

    def _freshness(self) -> Freshness:
        now = time.monotonic()
        return Freshness(
            at=datetime.now(UTC),
            newest_at=self._newest_at or self.render_worker.newest_at,
            behind_s=round(max(self._waited_s(now), self._feed_silence(now)), 1),
            gaps=hub().gaps,
            database=self.render_worker.verifier.result,
        )

    def _waited_s(self, now: float) -> float:
        since = (self._partial_since, self._rendering_since, self._changed_at)
        waited = now - min((at for at in since if at is not None), default=now)
        return waited if waited > LATE_S else 0.0

    def _feed_silence(self, now: float) -> float:
        silence = now - max(hub().received_at, self._started_at)
        return silence if silence > FEED_SILENCE_S else 0.0


@per_process
def board_hub() -> BoardHub:
    """The hub of this process, created in the event loop of its first caller."""
    return BoardHub()


def render_interval(spent_s: float, *, max_s: float) -> float:
    """Seconds from an urgent pass to the next, if that used `spent_s` of CPU.

    Inexpensive passes follow each other quickly, so that changes appear soon; expensive ones leave the CPU to reports
    and boots.
    """
    usual_s = min(max_s, max(MIN_INTERVAL_S, CPU_SHARE * spent_s))
    return max(usual_s, min(READINGS_FACTOR * max_s, STORM_SHARE * spent_s))
