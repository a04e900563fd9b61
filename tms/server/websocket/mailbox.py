"""The queue of messages between a WebSocket and its application."""

import asyncio


class Mailbox[T]:
    """An `asyncio.Queue` for one reader, without its four deques: they take 3 KiB of every connection."""

    __slots__ = ("items", "reader")

    def __init__(self) -> None:
        self.items: list[T] = []
        self.reader: asyncio.Future[None] | None = None

    def put_nowait(self, item: T) -> None:
        self.items.append(item)
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    async def get(self) -> T:
        while not self.items:
            self.reader = asyncio.get_running_loop().create_future()
            try:
                await self.reader
            finally:
                self.reader = None
        return self.items.pop(0)

    def qsize(self) -> int:
        return len(self.items)
