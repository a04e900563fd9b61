"""Other processes on the feed."""

import asyncio
import time
from typing import Any, Self

from channels.layers import get_channel_layer

from tests.support.polling import DEADLINE_S
from tms.feed.change import NOTHING, Change, FeedMessage, pack, unpack
from tms.feed.publisher import GROUP


class Listener:
    def __init__(self, layer: Any, channel: str) -> None:
        self.layer, self.channel = layer, channel

    @classmethod
    async def subscribe(cls) -> Self:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        return cls(layer, channel)

    async def receive(self) -> FeedMessage:
        async with asyncio.timeout(DEADLINE_S):
            return unpack((await self.layer.receive(self.channel))["message"])

    async def receive_change(self) -> FeedMessage:
        """The next message that is not a heartbeat."""
        while (message := await self.receive()).change == NOTHING:
            pass
        return message

    async def leave(self) -> None:
        await self.layer.group_discard(GROUP, self.channel)


class Publisher:
    def __init__(self, name: str = "other") -> None:
        self.name = name

    async def publish(self, number: int, change: Change = NOTHING) -> None:
        await send(pack(FeedMessage(self.name, number, time.time(), change)))


async def send(data: bytes) -> None:
    await get_channel_layer().group_send(GROUP, {"type": "feed", "message": data})
