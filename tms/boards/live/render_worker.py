"""The render thread: reads the database and renders for all boards."""

import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from functools import cache, partial

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError
from django.db.models import Max

from tms.accounts.access import rights_of_people
from tms.accounts.scope import Scope
from tms.accounts.screens import credentials as screen_credentials
from tms.accounts.screens import viewer as screen_viewer
from tms.accounts.sessions import activity
from tms.accounts.sessions import signed_in as session_signed_in
from tms.boards.caches.census_cache import census_cache
from tms.boards.live.live_page import Due, LivePage, RenderCache, Rendering
from tms.boards.live.subscriber import Credential
from tms.boards.live.verification import Verifier
from tms.boards.overview import on_shift
from tms.boards.overview.on_shift import OpenBoard
from tms.boards.pages.render_context import RenderContext, SharedRows
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

    async def narrowed(self, change: Change, scopes: Collection[Scope]) -> Mapping[Scope, Change]:
        """The first step of a pass: what of `change` concerns the pages of each scope. For people who see everything
        that is all of it.
        """
        self.rendering_s = 0.0
        if all(scope.is_everything for scope in scopes):
            return dict.fromkeys(scopes, change)
        return await self._timed(partial(census_cache().narrowed, change, scopes))

    async def render(self, due: Mapping[LivePage, Due]) -> AsyncIterator[tuple[LivePage, RenderOutcome]]:
        """Each page as soon as it is rendered: under load all of them take seconds."""
        began = time.monotonic()
        if not due:
            return
        contexts = cache(partial(_prefetched, due))  # in the thread, with the first page
        rendered: RenderCache = {}
        for live_page, reason in due.items():
            render = partial(live_page.render, due=reason, rendered=rendered)
            yield live_page, await self._timed(partial(_render, live_page, contexts, render))
        instruments.BOARD_RENDER_SECONDS.observe(time.monotonic() - began)

    @property
    def is_verification_due(self) -> bool:
        return self.verifier.due <= time.monotonic()

    async def verify(self) -> bool:
        """Whether the boards differ from the database."""
        return await self._thread.run(self._verify, time.monotonic())

    async def rights_keys(self, sessions: Collection[Credential]) -> Mapping[Credential, str]:
        """`Rights.key` of the people who are still signed in, by session key, and the key of each wall screen."""
        return await self._thread.run(_rights_keys, sessions)

    async def note_use(self, sessions: Collection[Credential]) -> None:
        await self._thread.run(_note_use, sessions)

    async def report_shift(self, here: Mapping[int, OpenBoard], *, left: Collection[int]) -> None:
        await self._thread.run(on_shift.report, here, left)

    async def close(self) -> None:
        await self._thread.leave()

    async def _timed[R](self, work: Callable[[], R]) -> R:
        def timed() -> R:
            before = time.thread_time()
            try:
                return work()
            finally:
                self.rendering_s += time.thread_time() - before

        return await self._thread.run(timed)

    def _verify(self, now: float) -> bool:
        self.newest_at = TerminalState.objects.aggregate(newest=Max("last_seen_at"))["newest"]
        mismatches = census_cache().mismatches()
        differs = self.verifier.judge(mismatches, at=datetime.now(UTC), now=now)
        if differs:
            log.warning("boards_differed", rows=mismatches)
        return differs


def _rights_keys(sessions: Collection[Credential]) -> Mapping[Credential, str]:
    keys, screens = _parted(sessions)
    people = session_signed_in.signed_in(keys, at=db_clock().now()) if keys else {}
    rights = rights_of_people({person.pk: person for person in people.values()}.values())
    found: dict[Credential, str] = {session: rights[person.pk].key for session, person in people.items()}
    return found | dict(screen_viewer.keys_of(screens).items())


def _note_use(sessions: Collection[Credential]) -> None:
    (keys, screens), at = _parted(sessions), db_clock().now()
    if keys:
        activity.touch(keys, at=at)
    if screens:
        screen_credentials.touch(screens, at=at)


def _parted(sessions: Collection[Credential]) -> tuple[list[str], list[int]]:
    """The keys of sessions, and the primary keys of wall screens."""
    return (
        [each for each in sessions if isinstance(each, str)],
        [each for each in sessions if isinstance(each, int)],
    )


def _prefetched(due: Mapping[LivePage, Due]) -> Mapping[Scope, RenderContext]:
    """A context for each scope. The changed rows that any page shows are read once for all."""
    rows = SharedRows(datetime.now(UTC))
    terminals: set[int] = set()
    alerts: set[int] = set()
    for live_page, reason in due.items():
        if live_page.page_state is not None and reason.must_be_read and not reason.change.everything:
            rows_needed = live_page.page.rows_needed(reason.change, live_page.page_state)
            terminals |= rows_needed[0]
            alerts |= rows_needed[1]
    rows.terminals(sorted(terminals))
    rows.alerts(sorted(alerts))
    scopes = {live_page.page.scope for live_page in due}
    return {scope: RenderContext(rows.at, scope, rows) for scope in scopes}


def _render(
    live_page: LivePage,
    contexts: Callable[[], Mapping[Scope, RenderContext]],
    render: Callable[[RenderContext], Rendering],
) -> RenderOutcome:
    """An error of one page does not affect the others."""
    context = contexts()[live_page.page.scope]
    try:
        return render(context)
    except AWAY:
        raise
    except ObjectDoesNotExist:
        return Failure.GONE
    except Exception:
        log.exception("board_failed", page=live_page.page.address)
        return Failure.BROKEN
