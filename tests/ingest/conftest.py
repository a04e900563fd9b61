import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from threading import Event
from typing import Any

import pytest
import pytest_asyncio
from django.db import OperationalError

from tests.ingest.wire import Wire
from tests.support.at_once import aside
from tests.support.builders import AT, Fleet, key_of
from tms.fleet.models import Terminal
from tms.ingest import store
from tms.ingest.batch import Batch
from tms.ingest.batch_result import BatchResult
from tms.ingest.items import Item
from tms.ingest.links import Links
from tms.ingest.session import Session

AT_TEXT = AT.isoformat()
DEADLINE_S = 10


class Database:
    """The store, behind a gate: while it is shut, what comes waits."""

    def __init__(self) -> None:
        self._open = Event()
        self._open.set()

    def write(self, items: Sequence[Item]) -> BatchResult:
        if not self._open.wait(DEADLINE_S):
            raise OperationalError("nobody opened the gate")
        return store.write(items)

    @contextmanager
    def waits(self) -> Iterator[None]:
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()


class Node:
    """A process that holds terminals' links, without their sockets."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.batch = Batch(database.write)
        self.links = Links()

    async def session(self, terminal: Terminal) -> tuple[Session, Wire]:
        wire = Wire()
        session = Session(await aside(key_of, terminal), wire=wire, batch=self.batch, links=self.links, address=None)
        self.links.opened(session)
        return session, wire

    async def booted(self, terminal: Terminal, boot_id: str = "boot-1") -> tuple[Session, Wire]:
        session, wire = await self.session(terminal)
        await taken(session, boot(boot_id))
        return session, wire

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """The node asks the database for what the feed did not tell."""
        task = asyncio.create_task(self.links.poll_forever())
        try:
            yield
        finally:
            task.cancel()


@pytest.fixture
def database() -> Database:
    return Database()


@pytest_asyncio.fixture
async def node(database: Database, fleet: Fleet, feed_recorder: Any, settings: Any) -> AsyncIterator[Node]:
    settings.FLUSH_INTERVAL_S = 0.01
    node = Node(database)
    node.batch.start()
    yield node
    await node.batch.drained()
    await node.batch.stop()


async def taken(session: Session, message: str) -> None:
    """Returns when the next message may be read."""
    if (behind := session.take(message)) is not None:
        await behind


def call(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def boot(boot_id: str = "boot-1") -> str:
    return json.dumps(call("boot", boot_id=boot_id) | {"id": 1})


def reports(first: int, last: int, **params: Any) -> str:
    return json.dumps([call("report", seq=seq, at=AT_TEXT, **params) for seq in range(first, last + 1)])
