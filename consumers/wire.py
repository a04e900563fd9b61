"""A socket that is written to without waiting, on TMS's own server and on any other ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tms.server import Connection
from tms.server.connection import Take

type Send = Callable[[dict[str, Any]], Awaitable[None]]

QUEUED_LIMIT = 1_000


class DirectWire:
    """TMS's server: the connection in the scope bounds its own output and drops a reader that is too slow."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, text: str) -> None:
        self._connection.send_nowait(text)

    def close(self, code: int, reason: str) -> None:
        self._connection.close(code, reason)

    async def deliver(self, take: Take) -> None:
        await self._connection.deliver(take)


class QueuedWire:
    """Another ASGI server: one task sends what is queued; a reader that lets the queue grow too long is closed."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUED_LIMIT)
        self._task = asyncio.get_running_loop().create_task(self._send_forever())

    def send(self, text: str) -> None:
        self._put({"type": "websocket.send", "text": text})

    def close(self, code: int, reason: str) -> None:
        self._put({"type": "websocket.close", "code": code, "reason": reason})

    def stop(self) -> None:
        self._task.cancel()

    def _put(self, message: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._task.cancel()

    async def _send_forever(self) -> None:
        while True:
            await self._send(await self._queue.get())


def wire_of(scope: dict[str, Any], send: Send) -> DirectWire | QueuedWire:
    connection = scope.get("tms.connection")
    return QueuedWire(send) if connection is None else DirectWire(connection)
