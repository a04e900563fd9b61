"""A route to TMS that the terminals of a site share, and that can be cut: what is sent into it is held or lost."""

import asyncio
import contextlib
from typing import Self
from urllib.parse import urlsplit

HOST = "127.0.0.1"
CHUNK = 65_536


class Route:
    """Forwards TCP connections while it is entered. Neither end notices a cut, but by the silence."""

    def __init__(self, link: str) -> None:
        """`link`: the address of TMS for terminals."""
        self._link = urlsplit(link)
        self._server: asyncio.Server
        self._connections: set[asyncio.Task[None]] = set()
        self._is_open = asyncio.Event()
        self._is_open.set()

    @property
    def link(self) -> str:
        """The same address, by this route."""
        port = self._server.sockets[0].getsockname()[1]
        return self._link._replace(netloc=f"{HOST}:{port}").geturl()

    def cut(self) -> None:
        self._is_open.clear()

    def repair(self) -> None:
        self._is_open.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.get_running_loop().create_task(self._forward(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            if not self._is_open.is_set():
                await self._is_open.wait()
                return  # who dialled has given up meanwhile
            there, here = await asyncio.open_connection(self._link.hostname, self._link.port)
            with contextlib.closing(here):
                await asyncio.gather(self._pass_on(reader, here), self._pass_on(there, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._is_open.wait()
                writer.write(data)
                await writer.drain()
        await self._is_open.wait()  # the end of a connection is lost, too
        writer.close()
