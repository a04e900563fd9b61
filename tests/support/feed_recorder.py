"""A listener that records the feed."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from tms.feed.change import NOTHING, Change, unpack
from tms.feed.publisher import GROUP

END = {"type": "end"}


class FeedRecorder:
    """Records the feed from its creation on."""

    def __init__(self) -> None:
        self.layer = get_channel_layer()
        self.channel = async_to_sync(self._subscribe)()

    def changes(self) -> list[Change]:
        """The changes published since the last call, without heartbeats."""
        return async_to_sync(self._drain)()

    def change(self) -> Change:
        """The same, merged into one."""
        whole = NOTHING
        for change in self.changes():
            whole |= change
        return whole

    async def _subscribe(self) -> str:
        channel: str = await self.layer.new_channel()
        await self.layer.group_add(GROUP, channel)
        return channel

    async def _drain(self) -> list[Change]:
        await self.layer.send(self.channel, END)
        received = []
        while (message := await self.layer.receive(self.channel)) != END:
            received.append(unpack(message["message"]).change)
        return [change for change in received if change != NOTHING]
