"""Writes to a socket without waiting, on TMS's own servers and on any other ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import structlog

from tms.protocol import limits
from tms.protocol.close_codes import CloseCode
from tms.server import Connection
from tms.server.base.connection import Take

type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]

log = structlog.get_logger(__name__)

QUEUED_LIMIT = 1_000


class DirectWriter:
    """For TMS's servers: the connection in the scope limits both directions, and drops a reader that is too slow."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to stop."""

    @property
    def silent_s(self) -> float:
        """How long the peer had been silent when it was dropped for that; 0 if the socket ended otherwise."""
        return self._connection.silent_s

    def send(self, text: str) -> None:
        self._connection.send_nowait(text)

    def close(self, code: int, reason: str) -> None:
        self._connection.close(code, reason)

    def deliver(self, take: Take) -> Awaitable[None]:
        """Pass each message to `take` until the connection ends. A message that is too large closes it."""
        return self._connection.deliver(take)


class QueuedWriter:
    """For other ASGI servers: one task sends the queued messages.

    If the queue grows too long, the application returns where it waits, and the server then closes the socket. Sending
    a close frame would wait for the slow reader too.
    """

    silent_s = 0.0
    """Other servers do not say why a socket ended."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUED_LIMIT)
        self._sender = asyncio.get_running_loop().create_task(self._send_forever())
        self._application = asyncio.current_task()
        self.gave_up = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._sender.cancel()
        return self.gave_up and kind is asyncio.CancelledError

    def send(self, text: str) -> None:
        self._put({"type": "websocket.send", "text": text})

    def close(self, code: int, reason: str) -> None:
        self._put({"type": "websocket.close", "code": code, "reason": reason})

    async def deliver(self, take: Take) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            text = message.get("text") or message.get("bytes") or ""
            if is_too_large(text):
                self.close(CloseCode.TOO_LARGE, f"frame too large; limit {limits.FRAME_BYTES} bytes")
            elif (behind := take(text)) is not None:
                await behind

    def _put(self, message: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._give_up()

    def _give_up(self) -> None:
        if self.gave_up or self._application is None:
            return
        self.gave_up = True
        log.warning("reader_given_up", queued=self._queue.qsize())
        self._application.cancel()

    async def _send_forever(self) -> None:
        while True:
            await self._send(await self._queue.get())


type SocketWriter = DirectWriter | QueuedWriter


def writer_of(scope: dict[str, Any], receive: Receive, send: Send) -> SocketWriter:
    connection = scope.get("tms.connection")
    return QueuedWriter(receive, send) if connection is None else DirectWriter(connection)


def is_too_large(text: str | bytes) -> bool:
    """Counted in bytes; encoded only if the length in characters might exceed the limit."""
    most = 4 if isinstance(text, str) else 1
    if len(text) * most <= limits.FRAME_BYTES:
        return False
    return len(text.encode() if isinstance(text, str) else text) > limits.FRAME_BYTES
