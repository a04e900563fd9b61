"""A process with links of terminals, without sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from threading import Event

from django.db import OperationalError

from tests.ingest.messages import boot, taken
from tests.ingest.wire import Wire
from tests.support.builders import key_of
from tests.support.polling import DEADLINE_S
from tests.support.threads import in_thread
from tms.fleet.models import Terminal
from tms.ingest import commit
from tms.ingest.batch import Batch
from tms.ingest.batch_result import BatchResult
from tms.ingest.items import Item
from tms.ingest.links import Links
from tms.ingest.session import Session


class Database:
    """The store behind a gate: while it is closed, batches wait."""

    def __init__(self) -> None:
        self._open = Event()
        self._open.set()

    def write(self, items: Sequence[Item]) -> BatchResult:
        if not self._open.wait(DEADLINE_S):
            raise OperationalError("nobody opened the gate")
        return commit.write(items)

    @contextmanager
    def waits(self) -> Iterator[None]:
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()


class Node:
    """A process with terminals' links, without their sockets."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.batch = Batch(database.write)
        self.links = Links()

    async def session(self, terminal: Terminal) -> tuple[Session, Wire]:
        wire = Wire()
        session = Session(
            await in_thread(key_of, terminal), wire=wire, batch=self.batch, links=self.links, address=None
        )
        self.links.opened(session)
        return session, wire

    async def booted(self, terminal: Terminal, boot_id: str = "boot-1") -> tuple[Session, Wire]:
        session, wire = await self.session(terminal)
        await taken(session, boot(boot_id))
        return session, wire

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """The node polls the database for changes that the feed missed."""
        task = asyncio.create_task(self.links.poll_forever())
        try:
            yield
        finally:
            task.cancel()
