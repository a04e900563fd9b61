from collections.abc import Awaitable, Callable
from typing import Protocol

type Take = Callable[[str | bytes], Awaitable[None] | None]
"""Takes a message. What it returns is awaited before it is given the next one."""


class Connection(Protocol):
    """What an application finds in `scope["tms.connection"]` of a WebSocket, beside receive and send."""

    @property
    def unwritten(self) -> int:
        """Bytes that were sent and that the kernel has not taken yet; above 0 the reader is behind."""

    def send_nowait(self, content: str | bytes) -> None:
        """Send without waiting, for fan-out: a reader that is too slow is dropped, and a closed socket takes nothing.

        `await send()` would wait for the slowest reader instead.
        """

    async def deliver(self, take: Take) -> None:
        """Give each message to `take`, until the connection ends; instead of receive().

        While none waits, a message is taken where it is read, without a turn of the event loop and a task's waking.
        """

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with 1000 or 3000 to 4999 (RFC 6455, 7.4.2) and up to 123 bytes of reason; once is enough.

        Raises ValueError for another code. Before the accept it denies the handshake with 403.
        """
