"""The gateway: links, admission and batch of one process."""

import asyncio

import structlog
from django.conf import settings

from tms.fleet.credentials.services import CredentialKey
from tms.ingest.admission import Admission
from tms.ingest.batch import Batch
from tms.ingest.commit.loop_writer import LoopWriter
from tms.ingest.links import Links
from tms.ingest.session import Session
from tms.lib.per_process import per_process
from tms.server import Connection

log = structlog.get_logger(__name__)

RECONNECT_AFTER_S = 1.0
LAST_COMMIT_S = 2.0
"""How long a stopping process waits for an unavailable database."""


class Gateway:
    """Starts lazily with the first link, in the event loop that serves it."""

    def __init__(self) -> None:
        self.links = Links()
        self.admission = Admission(self.links)
        self.batch = Batch(loop_writer=LoopWriter())
        self._poll: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._poll is None:
            self._poll = asyncio.get_running_loop().create_task(self.links.poll_forever(), name="poll-links")
            self.batch.start()

    def open(self, key: CredentialKey, *, wire: Connection, address: str | None) -> Session:
        session = Session(key, wire=wire, batch=self.batch, links=self.links, address=address)
        self.links.opened(session)
        return session

    async def announce_drain(self) -> None:
        """Reject new links, ask every terminal to reconnect later, and commit what was received so far."""
        self.admission.is_draining = True
        sessions = list(self.links.by_terminal.values())
        for session in sessions:
            session.drain(reconnect_after_s=RECONNECT_AFTER_S, spread_s=settings.DRAIN_SPREAD_S)
        log.info("draining", links=len(sessions))
        await self._commit_remaining()

    async def stop(self) -> None:
        """Commit what remains after the links ended. Dropped items were not acknowledged: terminals send them again."""
        if self._poll is not None:
            self._poll.cancel()
        if not await self._commit_remaining():
            log.error("given_up", items=self.batch.pending, why="the database is away")
        await self.batch.stop()
        await self.admission.stop()

    async def _commit_remaining(self) -> bool:
        try:
            async with asyncio.timeout(LAST_COMMIT_S):
                await self.batch.wait_until_idle()
        except TimeoutError:
            return False
        return True


@per_process
def gateway() -> Gateway:
    """This process's gateway, created in the event loop of its first caller."""
    return Gateway()
