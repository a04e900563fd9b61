from collections.abc import AsyncIterator

import pytest_asyncio
from channels.layers import get_channel_layer

from tests.live.other import Listener


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    """A listener on the feed of this pass: in memory, or Redis."""
    listener = await Listener.subscribe()
    yield listener
    await listener.leave()
    await get_channel_layer().flush()
