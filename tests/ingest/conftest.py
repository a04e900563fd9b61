from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.ingest.node import Database, Node
from tests.support.builders import Fleet


@pytest.fixture
def database() -> Database:
    return Database()


@pytest_asyncio.fixture
async def node(database: Database, fleet: Fleet, feed_recorder: Any, settings: Any) -> AsyncIterator[Node]:
    settings.FLUSH_INTERVAL_S = 0.01
    node = Node(database)
    node.batch.start()
    yield node
    await node.batch.wait_until_idle()
    await node.batch.stop()
