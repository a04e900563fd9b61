"""What the parts of the server know of each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, Protocol

from tms.server.base.acceptor import Acceptor
from tms.server.base.asgi import Scope
from tms.server.base.connection import Connection
from tms.server.base.counters import Counters, Event
from tms.server.base.flow import Flow
from tms.server.base.timer_wheel import Wheel

type Hook = Callable[..., Awaitable[None] | None]


class SocketPhase(Enum):
    """The state of a WebSocket."""

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
        """Answer the handshake with 503: no room, or the process is ending; the client may retry, here or elsewhere."""

    def drop(self, why: Event) -> None:
        """Abort the connection: the peer sees a reset, and buffered output is freed."""


class Server(Protocol):
    """Serves an ASGI application over HTTP and WebSocket, within the limits of a Flow.

    `on_ready` runs in the loop before the first connection is accepted; `on_drain` (with this server) when a signal
    ends the process, before any socket is closed; `on_stop` when all connections and applications have ended. Each is a
    plain or an async callable. `drain_code` chooses the close code of a socket from its scope (4503 without it).

    For monitoring: `counters`, `draining`, `sockets()`, and `acceptor.inside` compared with `acceptor.capacity`.
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
        """Open WebSockets, including handshakes in progress."""

    async def idle(self) -> None:
        """Wait until no connection and no application is left; no new ones are admitted."""

    async def end_applications(self) -> None:
        """Cancel what still runs, and wait for it with a timeout."""


class SocketServer(Server, Protocol):
    """What the sockets of a server know of it."""

    wheel: Wheel[Any]
