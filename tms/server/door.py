"""Where connections come in.

A process that reaches its descriptor limit poisons the whole fleet: Twisted can neither accept nor turn away, and
thousands of clients wait in the listener's queue until they time out. So the door closes before.
"""

from __future__ import annotations

import errno
import logging
import resource
import socket
from typing import Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from tms.server.counts import Counters
from tms.server.flow import Flow
from tms.server.reactor import FlowReactor
from tms.server.transport import FlowTransport

log = logging.getLogger(__name__)

DESCRIPTORS_KEPT = 200
"""For files, the database, Redis and threads."""

DESCRIPTORS_WANTED = 65_536
"""More connections than this do not fit into one process for other reasons."""

REOPEN_EVERY = 50
"""A door that closed when full opens again when one in so many has left, not at each of them."""

RETRY_LISTEN = 1.0


class CannotListen(OSError):
    """The host and port cannot be listened on."""

    def __init__(self, host: str, port: int, why: OSError) -> None:
        super().__init__(why.errno, f"cannot listen on {host} port {port}: {why.strerror or why}")
        self.host = host
        self.port = port


class PortInUse(CannotListen):
    """Another process listens there already."""


class FlowPort(tcp.Port):
    """A listening socket that accepts no more than the door has room for."""

    transport: type[tcp.Server] = FlowTransport

    def __init__(self, door: Door, reactor: FlowReactor) -> None:
        super().__init__(door.port, door.factory, door.flow.backlog, door.host, reactor)
        self.door = door

    def createInternetSocket(self) -> socket.socket:
        listener: socket.socket = super().createInternetSocket()
        if self.door.flow.kernel_sndbuf:  # accepted sockets inherit it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.door.flow.kernel_sndbuf)
        return listener

    def doRead(self) -> None:
        """Twisted accepts `numberAccepts` connections in one turn, and more each time that was not enough."""
        self.numberAccepts = min(self.numberAccepts, self.door.room)
        super().doRead()


class Door:
    """Listens while there is room, refuses when the process is full, and pauses while handshakes pile up.

    In rising order: at `flow.max_connections` the server answers upgrades with 503 (`is_full`); when
    `flow.spare_connections` are used up too, the listening socket is closed, so that a proxy tries another process
    at once; it is opened again a little below.
    """

    def __init__(self, host: str, port: int, flow: Flow, counters: Counters, reactor: FlowReactor) -> None:
        self.host, self.port, self.flow, self.counters, self.reactor = host, port, flow, counters, reactor
        self.factory: Any = None
        self.capacity, self.brim = limits(flow)
        self.inside = 0
        self.handshaking: set[object] = set()
        self.listener: FlowPort | None = None
        self.closing: Deferred[None] | None = None
        self.is_open = False

    # Opening

    def listen(self, factory: Any) -> None:
        """Take the port; clients wait in the kernel until `open`. Raises PortInUse or CannotListen."""
        self.factory = factory
        listener = FlowPort(self, self.reactor)
        try:
            listener.startListening()
        except CannotListenError as error:
            raise refusal(self.host, self.port, error.socketError) from None
        except OSError as error:  # Twisted wraps bind() only, not listen()
            raise refusal(self.host, self.port, error) from None
        listener.stopReading()
        self.port = listener.getHost().port  # the one that we got, if 0 was asked for
        self.listener = listener

    def open(self) -> None:
        self.is_open = True
        self.settle()

    async def shut(self) -> None:
        """Stop listening for good."""
        self.is_open = False
        self.stop_listening()
        if self.closing:
            await self.closing.asFuture(self.reactor.loop)

    # Who is inside

    @property
    def is_full(self) -> bool:
        return self.inside > self.capacity  # the one that asks is inside already

    @property
    def room(self) -> int:
        """How many may come in now."""
        return min(self.brim - self.inside, self.flow.max_handshakes - len(self.handshaking))

    def entered(self) -> None:
        self.inside += 1
        self.settle()

    def left(self) -> None:
        self.inside -= 1
        self.settle()

    def handshake_began(self, who: object) -> None:
        self.handshaking.add(who)
        self.settle()

    def handshake_ended(self, who: object) -> None:
        self.handshaking.discard(who)
        self.settle()

    # The listening socket

    def settle(self) -> None:
        """Give the listening socket the state that the counts ask for; called whenever one of them changed."""
        if not self.is_open:
            return
        if self.inside >= self.brim:
            self.turn_full()
        elif self.listener is None:
            if self.inside < self.brim - self.brim // REOPEN_EVERY:
                self.reopen()
        elif self.room > 0:
            self.listener.startReading()
        else:
            self.listener.stopReading()

    def turn_full(self) -> None:
        if self.listener:
            self.counters["door_closed"] += 1
            log.error("full: %d connections are open; not listening until some have left", self.inside)
            self.stop_listening()

    def stop_listening(self) -> None:
        if self.listener:
            self.closing = self.listener.stopListening()
            self.closing.addCallback(self.stopped_listening)
            self.listener = None

    def stopped_listening(self, _: object) -> None:
        self.closing = None
        self.settle()

    def reopen(self) -> None:
        if self.closing:
            return  # comes back through stopped_listening
        try:
            self.listen(self.factory)
        except CannotListen as error:
            log.error("%s; trying again", error)
            self.reactor.callLater(RETRY_LISTEN, self.settle)
        else:
            log.info("listening again: %d connections are open", self.inside)
            self.settle()


def refusal(host: str, port: int, why: OSError) -> CannotListen:
    return PortInUse(host, port, why) if why.errno == errno.EADDRINUSE else CannotListen(host, port, why)


def limits(flow: Flow) -> tuple[int, int]:
    """Connections at which upgrades are refused, and at which nothing listens; descriptors suffice for both."""
    allowed = max(2, descriptors_allowed() - DESCRIPTORS_KEPT)
    most = max(allowed - flow.spare_connections, allowed // 2)
    if flow.max_connections is None:
        return most, allowed
    if flow.max_connections > most:
        log.warning("descriptors suffice for %d connections, not %d (ulimit -n)", most, flow.max_connections)
    return min(flow.max_connections, most), min(flow.max_connections + flow.spare_connections, allowed)


def descriptors_allowed() -> int:
    """The limit of this process, raised to what we want as far as the hard limit lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= DESCRIPTORS_WANTED:
        return DESCRIPTORS_WANTED
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_WANTED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
