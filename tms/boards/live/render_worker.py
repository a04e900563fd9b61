"""The render thread: reads the database and renders for all boards."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, auto

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError
from django.db.models import Max

from tms.accounts.sessions import signed_in as session_signed_in
from tms.boards.caches.census_cache import census_cache
from tms.boards.live.live_page import LivePage, RenderCache, Rendering
from tms.boards.live.verification import Verifier
from tms.boards.overview import on_shift
from tms.boards.pages import RenderContext
from tms.feed.change import Change
from tms.fleet.models import TerminalState
from tms.lib.db.clock import db_clock
from tms.lib.db.thread import DatabaseThread
from tms.metrics import instruments

log = structlog.get_logger(__name__)

AWAY = (DatabaseError, InterfaceError)


class Failure(Enum):
    """Why a page could not be rendered."""

    GONE = auto()
    """The terminal, alert or incident of the page was deleted."""
    BROKEN = auto()


type RenderOutcome = Rendering | Failure


class RenderWorker:
    """All database reads and all rendering of the boards, in one thread."""

    def __init__(self) -> None:
        self.verifier = Verifier(settings.PROOF_INTERVAL_S)
        self.newest_at: datetime | None = None
        self.rendering_s = 0.0
        """CPU time of the last pass."""
        self._thread = DatabaseThread("boards")

    async def render(self, live_pages: Sequence[LivePage], change: Change) -> Mapping[LivePage, RenderOutcome]:
        return await self._thread.run(self._render, live_pages, change)

    @property
    def is_verification_due(self) -> bool:
        return self.verifier.due <= time.monotonic()

    async def verify(self) -> bool:
        """Whether the boards differ from the database."""
        return await self._thread.run(self._verify, time.monotonic())

    async def signed_in(self, keys: Collection[str]) -> Collection[str]:
        """The session keys that are still signed in."""
        return await self._thread.run(lambda: session_signed_in.signed_in(keys, at=db_clock().now()).keys())

    async def report_shift(self, here: Mapping[int, str], *, left: Collection[int]) -> None:
        await self._thread.run(on_shift.report, here, left)

    async def close(self) -> None:
        await self._thread.leave()

    def _render(self, live_pages: Sequence[LivePage], change: Change) -> Mapping[LivePage, RenderOutcome]:
        began, cpu_before = time.monotonic(), time.thread_time()
        context = RenderContext(datetime.now(UTC))
        _prefetch(context, live_pages, change)
        rendered: RenderCache = {}
        outcomes = {live_page: _render_one(live_page, context, change, rendered) for live_page in live_pages}
        instruments.BOARD_RENDER_SECONDS.observe(time.monotonic() - began)
        self.rendering_s = time.thread_time() - cpu_before
        return outcomes

    def _verify(self, now: float) -> bool:
        self.newest_at = TerminalState.objects.aggregate(newest=Max("last_seen_at"))["newest"]
        mismatches = census_cache().mismatches()
        differs = self.verifier.judge(mismatches, at=datetime.now(UTC), now=now)
        if differs:
            log.warning("boards_differed", rows=mismatches)
        return differs


def _prefetch(context: RenderContext, live_pages: Sequence[LivePage], change: Change) -> None:
    """Read the changed rows that any page shows, once."""
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
    """An error of one page does not affect the others."""
    try:
        return live_page.render(context, change, rendered)
    except AWAY:
        raise
    except ObjectDoesNotExist:
        return Failure.GONE
    except Exception:
        log.exception("board_failed", page=live_page.page.address)
        return Failure.BROKEN
