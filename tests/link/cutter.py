"""A network that breaks: everything passes through it until so many bytes were sent; then all connections are cut."""

import asyncio
from typing import Self

READ_BYTES = 65_536


class Cutter:
    def __init__(self, port: int, *, after: tuple[int, ...]) -> None:
        """`after`: the total numbers of bytes from clients, at which the connections are cut."""
        self._target = port
        self._after = list(after)
        self._passed = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._cut()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        mine = {writer, forth}
        self._writers |= mine
        try:
            await asyncio.gather(self._copy(reader, forth, counts=True), self._copy(back, writer))
        except OSError:
            pass
        finally:
            self._writers -= mine
            for one in mine:
                one.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counts: bool = False) -> None:
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()
            self._passed += len(data) if counts else 0
            if self._after and self._passed >= self._after[0]:
                del self._after[0]
                self.cuts += 1
                self._cut()
        raise ConnectionResetError

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
