"""The links that this process holds, and what the feed tells them."""

import asyncio
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import structlog
from channels.db import database_sync_to_async
from django.conf import settings

from tms.commands import services as commands
from tms.fleet import credentials
from tms.ingest.session import Session
from tms.ingest.takeovers import Takeovers
from tms.live.change import Change
from tms.ops import instruments
from tms.protocol import frames
from tms.protocol.close import CloseCode

log = structlog.get_logger(__name__)

DUPLICATE_CREDENTIAL = "tms.duplicate_credential"
"""Event code that TMS itself raises when two devices keep taking one terminal's link from each other."""

LOOK_INTERVAL_S = 2.0
OVERLAP = timedelta(seconds=5)
"""Between the clocks of this node and of whoever revoked."""


class Links:
    """At most one booted link a terminal: the newest wins."""

    def __init__(self) -> None:
        self.by_terminal: dict[int, Session] = {}
        self._unbooted: set[Session] = set()
        self.takeovers = Takeovers()
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, session: Session) -> None:
        self._unbooted.add(session)

    def began(self, session: Session, *, has_commands: bool) -> None:
        terminal_id = session.identity.terminal_id
        older = self.by_terminal.get(terminal_id)
        self.by_terminal[terminal_id] = session
        self._unbooted.discard(session)
        instruments.LINKS.set(len(self.by_terminal))
        if older is not None and older is not session and not older.is_closed:
            older.close(CloseCode.REPLACED, "replaced by a newer session")
            self._count_takeover(session)
        if has_commands:
            self.deliver({terminal_id})

    def ended(self, session: Session) -> None:
        self._unbooted.discard(session)
        if self.by_terminal.get(session.identity.terminal_id) is session:
            del self.by_terminal[session.identity.terminal_id]
            instruments.LINKS.set(len(self.by_terminal))

    def ban_left_s(self, terminal_id: int) -> float:
        """Seconds for which handshakes of this terminal are refused; 0 for none."""
        return self.takeovers.ban_left_s(terminal_id, at=time.monotonic())

    def changed(self, change: Change) -> None:
        """A listener of the hub."""
        for terminal_id, number in change.sessions:
            session = self.by_terminal.get(terminal_id)
            if session is not None and session.number < number and not session.is_closed:
                session.close(CloseCode.REPLACED, "replaced by a newer session")
                self._count_takeover(session)
        self._revoke(change.revoked)
        self.deliver(self.by_terminal.keys() if change.everything else change.commands & self.by_terminal.keys())

    async def look_forever(self) -> None:
        """Ask the database for what the feed, which is only a hint, may not have told."""
        since = datetime.now(UTC)
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            at = datetime.now(UTC)
            try:
                revoked, waiting = await database_sync_to_async(_look, thread_sensitive=False)(since - OVERLAP, at)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next look comes)
                log.warning("look_failed", error=repr(error))
                continue
            since = at
            self._revoke(revoked)
            self.deliver(waiting & self.by_terminal.keys())

    def _revoke(self, credential_ids: Collection[int]) -> None:
        if credential_ids:
            for session in (*self.by_terminal.values(), *self._unbooted):
                if session.credential_id in credential_ids:
                    session.close(CloseCode.CREDENTIAL_REVOKED, "credential revoked")

    def deliver(self, terminal_ids: Collection[int]) -> None:
        """Send the commands that wait for these terminals."""
        sessions = {pk: self.by_terminal[pk].number for pk in terminal_ids if pk in self.by_terminal}
        if sessions:
            task = asyncio.get_running_loop().create_task(self._deliver(sessions))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, sessions: dict[int, int]) -> None:
        try:
            claim = database_sync_to_async(commands.claim, thread_sensitive=False)
            claimed = await claim(sessions, at=datetime.now(UTC))
        except Exception:
            log.exception("delivery_failed", terminals=len(sessions))
            return
        for command in claimed:
            session = self.by_terminal.get(command.terminal_id)
            if session is not None and session.number == command.session:
                session.send_command(command)

    def _count_takeover(self, session: Session) -> None:
        instruments.TAKEOVERS.inc()
        if self.takeovers.count(session.identity.terminal_id, at=time.monotonic()):
            log.warning("terminal_banned", terminal=session.identity.uid, seconds=settings.TAKEOVER_BAN_S)
            text = f"two devices use its credential; links refused for {settings.TAKEOVER_BAN_S:g} s"
            session.note(frames.Event(at=datetime.now(UTC), code=DUPLICATE_CREDENTIAL, severity="critical", text=text))


def _look(since: datetime, at: datetime) -> tuple[set[int], set[int]]:
    return credentials.ended_between(since, at), commands.waiting(at=at)
