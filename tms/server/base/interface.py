"""What the servers have in common, whichever library they stand on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, Protocol

from tms.server.base.acceptor import Acceptor
from tms.server.base.asgi import Application, Scope
from tms.server.base.connection import Connection
from tms.server.base.counters import Counters, Event
from tms.server.base.flow import Flow
from tms.server.base.timer_wheel import Wheel

type Hook = Callable[..., Awaitable[None] | None]


class SocketPhase(Enum):
    """Where a WebSocket is in its life."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Socket(Connection, Protocol):
    """A WebSocket as its server sees it."""

    scope: Scope | None

    @property
    def phase(self) -> SocketPhase: ...

    def refuse(self, why: Event) -> None:
        """Answer the handshake with 503: no room, or no time left; the client may try again, here or elsewhere."""

    def drop(self, why: Event) -> None:
        """Abort the connection: the peer sees a reset, and what it did not take is freed."""


class Server(Protocol):
    """Serves an ASGI application over HTTP and WebSocket, within the limits of a Flow.

    `on_ready` runs in the loop before the first connection is accepted; `on_drain` (given this server) when a signal
    ends the process, before any socket is closed; `on_stop` when all connections and applications have ended. Each is
    a plain or an async callable. `drain_code` chooses the close code of a socket from its scope (4503 without it).

    To be watched from outside: `counters`, `draining`, `sockets()`, and `acceptor.inside` against
    `acceptor.capacity`.
    """

    flow: Flow
    counters: Counters
    acceptor: Acceptor
    draining: bool
    is_ready: bool
    on_drain: Hook | None
    on_stop: Hook | None
    drain_code: Callable[[Scope], int]

    def run(self) -> None:
        """Serve until a signal, then drain.

        Raises PortInUse or CannotListen before anything was started, and any exception of `on_ready`.
        """

    @property
    def address(self) -> tuple[str, int]: ...

    def sockets(self) -> Sequence[Socket]:
        """WebSockets that are not closed, handshakes in progress included."""

    async def idle(self) -> None:
        """Wait until no connection and no application is left; none may come in any more."""

    async def end_applications(self) -> None:
        """Cancel what still runs, and wait for it, but not for ever."""


class SocketServer(Server, Protocol):
    """What the sockets of a server know of it."""

    wheel: Wheel[Any]


class NewServer(Protocol):
    """How a server is made."""

    def __call__(
        self,
        application: Application,
        *,
        host: str,
        port: int,
        flow: Flow | None = None,
        on_ready: Hook | None = None,
        on_drain: Hook | None = None,
        on_stop: Hook | None = None,
        drain_code: Callable[[Scope], int] | None = None,
    ) -> Server: ...
