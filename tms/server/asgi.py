"""What an application sees: the types of ASGI (asgi.readthedocs.io, version 3.0), and its WebSocket beside them."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

type Scope = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

ASGI = {"version": "3.0", "spec_version": "2.4"}
EXTENSIONS: dict[str, dict[str, Any]] = {"websocket.http.response": {}}
"""The extensions in each WebSocket's scope."""

type Take = Callable[[str | bytes], Awaitable[None] | None]
"""Takes a message. The returned awaitable is awaited before the next one."""


class Connection(Protocol):
    """A WebSocket as its application sees it: `scope["tms.connection"]`, beside receive and send."""

    @property
    def unwritten(self) -> int:
        """Bytes that were sent but that the kernel has not accepted yet; above 0 the reader is slow."""

    @property
    def silent_s(self) -> float:
        """Seconds in which nothing was received before the peer was dropped for that; 0 unless it was."""

    def send(self, content: str | bytes) -> None:
        """Send without waiting, for fan-out: a reader that is too slow is dropped, and a closed socket ignores it.

        `await send()` would wait for the slowest reader instead.
        """

    async def deliver(self, take: Take) -> None:
        """Pass each message to `take` until the connection ends; replaces receive().

        Without a backlog a message is passed on where it is read, without an iteration of the event loop and waking a
        task.
        """

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with 1000 or 3000 to 4999 (RFC 6455, 7.4.2) and up to 123 bytes of reason. Idempotent.

        Raises ValueError for another code. Before the accept it denies the handshake with 403.
        """
