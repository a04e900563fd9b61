"""Closes the boards of people who are no longer signed in, or whose rights changed, and of wall screens that were
revoked or changed.
"""

import time
from collections.abc import Callable, Collection, Mapping

from tms.boards.live import tasks
from tms.boards.live.render_worker import RenderWorker
from tms.boards.live.subscriber import Credential, Subscriber, ViewerId
from tms.lib.db.clock import db_clock
from tms.metrics import slo
from tms.metrics.slo import Indicator

SIGN_IN_AGAIN = 4401
"""The close code on which a browser goes to the sign-in page."""
RIGHTS_CHANGED = 4403
"""The close code on which a browser loads the page again: it may show less, or not exist for the person."""


class RightsCheck:
    """Checks people whom the feed names and new subscribers at once, and everyone at an interval."""

    def __init__(self, pages: tasks.LivePages, worker: RenderWorker, close: Callable[..., None]) -> None:
        self._pages = pages
        self._worker = worker
        self._close = close
        self._named: dict[ViewerId, float] = {}
        """Whose rights or sign-in changed, and when that was committed (seconds since the epoch)."""
        self._new: set[Subscriber] = set()
        """Their rights were read before they were subscribed: the change may have been named between."""
        self._all_at = 0.0
        self._note_at = 0.0

    def name(self, viewers: Collection[ViewerId], *, committed_at: float) -> None:
        for viewer in viewers:
            self._named.setdefault(viewer, committed_at)

    def add(self, subscriber: Subscriber) -> None:
        self._new.add(subscriber)

    def check_all(self) -> None:
        self._all_at = 0.0

    async def run(self) -> None:
        is_of_all = self._is_of_all(time.monotonic())
        named, self._named = self._named, {}
        new, self._new = self._new, set()
        subscribers = tasks.subscribers_of(self._pages)
        checked = {each for each in subscribers if is_of_all or each.viewer in named or each in new}
        try:
            sessions = await self._check(checked, named)
            if is_of_all:
                await self._note_use(sessions)
        except Exception:
            self._named = named | self._named
            self.check_all()
            raise

    def _is_of_all(self, now: float) -> bool:
        if now < self._all_at:
            return False
        self._all_at = now + tasks.SIGN_IN_CHECK_S
        return True

    async def _check(
        self, subscribers: Collection[Subscriber], named: Mapping[ViewerId, float]
    ) -> Collection[Credential]:
        """Returns the sessions that are still signed in, and the screens that are still paired."""
        if not subscribers:
            return ()
        began = time.monotonic()
        rights = await self._worker.rights_keys({each.session for each in subscribers})
        gone = {each for each in subscribers if each.session not in rights}
        ended = {each for each in gone if each.viewer.kind == "person"}
        # A revoked screen loads its page again too: it shows a pairing code.
        changed = {each for each in subscribers if each not in ended and rights.get(each.session) != each.rights_key}
        self._close(ended, SIGN_IN_AGAIN, "sign in again")
        self._close(changed, RIGHTS_CHANGED, "your rights changed; load the page again")
        for each in changed:
            slo.observe(Indicator.RIGHTS, _age(each, named))
        for each in subscribers:
            each.checked_at = began
        return rights.keys()

    async def _note_use(self, sessions: Collection[Credential]) -> None:
        """An open board is use of its session, which would otherwise end."""
        if sessions and time.monotonic() >= self._note_at:
            await self._worker.note_use(sessions)
            self._note_at = time.monotonic() + tasks.NOTE_USE_S


def _age(subscriber: Subscriber, named: Mapping[ViewerId, float]) -> float:
    """Seconds since the change; at most since the last check that did not find it, if the feed lost it."""
    committed_at = named.get(subscriber.viewer)
    if committed_at is None:
        return time.monotonic() - subscriber.checked_at
    return db_clock().now().timestamp() - committed_at
