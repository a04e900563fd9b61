from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from tms.feed.change import NOTHING, Change, unpack
from tms.feed.publisher import GROUP

END = {"type": "end"}


class FeedRecorder:
    """Listens to the feed from the moment it is made."""

    def __init__(self) -> None:
        self.layer = get_channel_layer()
        self.channel = async_to_sync(self._subscribe)()

    def changes(self) -> list[Change]:
        """What was published since the last time it was asked; heartbeats left out."""
        return async_to_sync(self._drain)()

    def change(self) -> Change:
        """The same, as one."""
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
        heard = []
        while (message := await self.layer.receive(self.channel)) != END:
            heard.append(unpack(message["message"]).change)
        return [change for change in heard if change != NOTHING]
