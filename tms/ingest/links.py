"""Links of this process, and the changes of the feed that affect them."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import transaction

from tms.commands import change_frames
from tms.commands import services as commands
from tms.commands.change_frames import EncodedChange
from tms.commands.kinds import CHANGES
from tms.commands.models import Command
from tms.feed.change import Change
from tms.feed.hub import hub
from tms.files.offers import Offer, make_offers
from tms.fleet.credentials import services
from tms.fleet.presence import store
from tms.ingest.fairness.backfill_pace import BackfillPace
from tms.ingest.models import TakeoverCounter
from tms.ingest.session import Session
from tms.ingest.takeovers import Bans, find_bans
from tms.lib.db.clock import db_clock
from tms.lib.db.jobs import RowCheck, with_rows
from tms.metrics import instruments
from tms.protocol.close_codes import CloseCode

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 2.0
RECENT = timedelta(seconds=30)
"""Polls that look back further, after an outage, read everything."""
OVERLAP = timedelta(seconds=5)
"""Allowance for differences between this node's clock and that of the revoking process."""


class Links:
    """The links of this process, at most one booted link per terminal: the newest wins."""

    def __init__(self) -> None:
        self.by_terminal: dict[int, Session] = {}
        self._unbooted: set[Session] = set()
        self.bans = Bans()
        self.backfill_pace = BackfillPace()
        self._may_have_missed = False
        """Whether a terminal may have moved to another node although the feed reported nothing."""
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, session: Session) -> None:
        self._unbooted.add(session)

    def began(self, session: Session, *, has_commands: bool) -> None:
        terminal_id = session.identity.terminal_id
        older = self.by_terminal.get(terminal_id)
        self.by_terminal[terminal_id] = session
        self._unbooted.discard(session)
        instruments.LINKS.set(len(self.by_terminal))
        # Closed after the newer one is entered: what the close causes must not find the older one.
        if older is not None and older is not session:
            older.close_replaced()
        if has_commands:
            self.deliver({terminal_id})

    def ended(self, session: Session) -> None:
        self._unbooted.discard(session)
        if self.by_terminal.get(session.identity.terminal_id) is session:
            del self.by_terminal[session.identity.terminal_id]
            instruments.LINKS.set(len(self.by_terminal))

    def ban_left_s(self, terminal_id: int) -> float:
        """Seconds for which handshakes of this terminal are rejected; 0 for none."""
        return self.bans.left_s(terminal_id, at=time.monotonic())

    def changed(self, change: Change) -> None:
        """Receives changes from the feed's hub."""
        self._may_have_missed |= change.everything
        self._close_replaced(change.sessions)
        self._revoke(change.revoked, moved=change.moved)
        self.deliver(self.by_terminal.keys() if change.everything else change.commands & self.by_terminal.keys())

    async def poll_forever(self) -> None:
        """Poll the database for changes that the feed may have missed, because it is only a hint."""
        since = db_clock().now()
        while True:
            at = db_clock().now()
            if await self.poll_once(since, at):
                since = at
            await asyncio.sleep(POLL_INTERVAL_S)

    async def poll_once(self, since: datetime, at: datetime) -> bool:
        """Poll once. Returns whether it succeeded."""
        may_have_missed = self._may_have_missed or not hub().is_live
        doubtful = {pk: session.credential_id for pk, session in self.by_terminal.items()} if may_have_missed else {}
        self._may_have_missed = False  # before reading: a gap during the poll is for the next one
        try:
            found = await database_sync_to_async(poll, thread_sensitive=False)(since - OVERLAP, at, doubtful)
        except Exception as error:  # noqa: BLE001  (any error: the next poll follows)
            self._may_have_missed |= may_have_missed
            log.warning("link_poll_failed", error=repr(error))
            return False
        self._apply(found)
        return True

    def _apply(self, found: "PollResult") -> None:
        self._revoke(found.revoked | found.moved, moved=found.moved)
        self._close_replaced(found.elsewhere.items())
        self.deliver(found.waiting & self.by_terminal.keys())
        self.bans.read(found.bans, at=time.monotonic())

    def _close_replaced(self, begun: Iterable[tuple[int, int]]) -> None:
        for terminal_id, number in begun:
            session = self.by_terminal.get(terminal_id)
            if session is not None and session.number < number:
                session.close_replaced()

    def _revoke(self, credential_ids: Collection[int], *, moved: Collection[int]) -> None:
        """Close the links of these keys. Agents wait for minutes after 4401, and seconds after 4503."""
        if credential_ids:
            for session in (*self.by_terminal.values(), *self._unbooted):
                if session.credential_id in moved:
                    session.close(CloseCode.DRAINING, "the device serves as another terminal; reconnect")
                elif session.credential_id in credential_ids:
                    session.close(CloseCode.CREDENTIAL_REVOKED, "credential revoked")

    def deliver(self, terminal_ids: Collection[int]) -> None:
        """Send the pending commands of these terminals."""
        sessions = {pk: self.by_terminal[pk].number for pk in terminal_ids if pk in self.by_terminal}
        if sessions:
            task = asyncio.get_running_loop().create_task(self._deliver(sessions))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, sessions: dict[int, int]) -> None:
        try:
            dequeue = database_sync_to_async(_dequeue, thread_sensitive=False)
            dequeued, offers = await dequeue(sessions, db_clock().now())
        except Exception:
            log.exception("delivery_failed", terminals=len(sessions))
            return
        for command in dequeued:
            if command.name not in CHANGES and (session := self._carrier_of(command)):
                session.send_command(command, offers.get(command.pk, ()))
        await self._deliver_changes([command for command in dequeued if command.name in CHANGES])

    async def _deliver_changes(self, changes: Sequence[Command]) -> None:
        """Send them in parts: a configuration may have 40 KB, and be for all terminals of this process."""
        for part in change_frames.chunks(changes):
            try:
                encoded = await database_sync_to_async(_encode, thread_sensitive=False)(part)
            except Exception:
                log.exception("delivery_failed", terminals=len(part))
                continue
            for one in encoded:
                if one.text and (session := self._carrier_of(one.command)):
                    session.send_change(one.text)

    def _carrier_of(self, command: Command) -> Session | None:
        """The link that a command was taken for. It is not sent over a later one: at most once."""
        session = self.by_terminal.get(command.terminal_id)
        return session if session is not None and session.number == command.session else None


def _dequeue(sessions: dict[int, int], at: datetime) -> tuple[list[Command], Mapping[int, Sequence[Offer]]]:
    """The commands to send, and where to upload the files of those that have any."""
    with transaction.atomic():  # without its offers, a command is not sent
        dequeued = commands.dequeue(sessions, at=at)
        return dequeued, make_offers(dequeued) if dequeued else {}


def _encode(changes: Sequence[Command]) -> list[EncodedChange]:
    """The frames of changes. Those that cannot be made have failed."""
    encoded = change_frames.encode(changes)
    if errors := {one.command.pk: one.error for one in encoded if one.error}:
        commands.fail(errors, at=db_clock().now())
    return encoded


class PollResult(NamedTuple):
    """What a poll found in the database."""

    revoked: set[int]
    waiting: set[int]
    elsewhere: Mapping[int, int]
    bans: Sequence[tuple[int, float]]
    moved: set[int]
    """Credentials whose device serves as another terminal now."""


def poll(since: datetime, at: datetime, doubtful: Mapping[int, int]) -> PollResult:
    """Mostly there is nothing, which one prepared statement shows. `doubtful`: the key of each terminal's link."""
    elsewhere = store.elsewhere(doubtful, node=settings.NODE) if doubtful else {}
    moved = services.moved(doubtful) if doubtful else set()
    if since > at - RECENT and not with_rows([_recent_changes], at):
        return PollResult(set(), set(), elsewhere, [], moved)
    return PollResult(services.ended_between(since, at), commands.waiting(at=at), elsewhere, find_bans(at), moved)


_recent_changes = RowCheck(
    lambda at: services.ended(at - RECENT, at), Command.objects.deliverable, TakeoverCounter.objects.banned
)
