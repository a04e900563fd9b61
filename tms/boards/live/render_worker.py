"""The studio's thread: everything that reads the database or renders."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import Enum, auto

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Max

from tms.accounts.sessions import signed_in as session_signed_in
from tms.boards.caches.census_cache import census_cache
from tms.boards.live.live_page import LivePage, RenderCache, Rendering
from tms.boards.live.verification import Verifier
from tms.boards.overview import on_shift
from tms.boards.pages import RenderContext
from tms.feed.change import Change
from tms.fleet.models import TerminalState
from tms.lib.db.clock import wall
from tms.metrics import instruments

log = structlog.get_logger(__name__)

AWAY = (DatabaseError, InterfaceError)


class Failure(Enum):
    """Why there is no painting."""

    GONE = auto()
    """What the page is about does not exist any more."""
    BROKEN = auto()


type RenderOutcome = Rendering | Failure


class RenderWorker:
    def __init__(self) -> None:
        self.verifier = Verifier(settings.PROOF_INTERVAL_S)
        self.newest_at: datetime | None = None
        self.rendering_s = 0.0
        """CPU that the last painting took."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="boards")

    async def render(self, live_pages: Sequence[LivePage], change: Change) -> Mapping[LivePage, RenderOutcome]:
        return await self._in_thread(self._render, live_pages, change)

    async def verify(self) -> bool:
        """Whether the boards were found to differ from the database; looked at when it is due."""
        now = time.monotonic()
        return self.verifier.due <= now and await self._in_thread(self._compare, now)

    async def signed_in(self, keys: Collection[str]) -> Collection[str]:
        return await self._in_thread(lambda: session_signed_in.signed_in(keys, at=wall.now()).keys())

    async def report_shift(self, here: Mapping[int, str], *, left: Collection[int]) -> None:
        await self._in_thread(on_shift.report, here, left)

    async def close(self) -> None:
        await self._in_thread(_disconnect)
        self._thread.shutdown()

    async def _in_thread[**P, R](self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: _guarded(work, *args, **kwargs))

    def _render(self, live_pages: Sequence[LivePage], change: Change) -> Mapping[LivePage, RenderOutcome]:
        began, cpu_before = time.monotonic(), time.thread_time()
        context = RenderContext(datetime.now(UTC))
        _prefetch(context, live_pages, change)
        rendered: RenderCache = {}
        outcomes = {live_page: _render_one(live_page, context, change, rendered) for live_page in live_pages}
        instruments.BOARD_RENDER_SECONDS.observe(time.monotonic() - began)
        self.rendering_s = time.thread_time() - cpu_before
        return outcomes

    def _compare(self, now: float) -> bool:
        self.newest_at = TerminalState.objects.aggregate(newest=Max("last_seen_at"))["newest"]
        doubted = census_cache.doubted()
        differs = self.verifier.judge(doubted, at=datetime.now(UTC), now=now)
        if differs:
            log.warning("boards_differed", rows=doubted)
        return differs


def _prefetch(context: RenderContext, live_pages: Sequence[LivePage], change: Change) -> None:
    """Read the changed rows that any of the shows has, each once."""
    terminals: set[int] = set()
    alerts: set[int] = set()
    for live_page in live_pages:
        if live_page.page_state is not None and not change.everything:
            rows_needed = live_page.page.rows_needed(change, live_page.page_state)
            terminals |= rows_needed[0]
            alerts |= rows_needed[1]
    context.terminals(sorted(terminals))
    context.alerts(sorted(alerts))


def _render_one(live_page: LivePage, context: RenderContext, change: Change, rendered: RenderCache) -> RenderOutcome:
    """A page that fails leaves the others alone."""
    try:
        return live_page.render(context, change, rendered)
    except AWAY:
        raise
    except ObjectDoesNotExist:
        return Failure.GONE
    except Exception:
        log.exception("board_failed", page=live_page.page.address)
        return Failure.BROKEN


def _disconnect() -> None:
    """Run in a thread: `connection.close`, handed over as it is, would be that of the thread it was named in."""
    connection.close()


def _guarded[**P, R](work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """After a database error the connection is not to be trusted."""
    try:
        return work(*args, **kwargs)
    except AWAY:
        connection.close()
        raise
