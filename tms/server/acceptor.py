"""Accepts connections while there is room for them.

A process at its descriptor limit affects the whole fleet: it can neither accept nor reject, and thousands of clients
wait in the listener's queue until they time out. So it stops listening before that.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Callable
from functools import partial

from tms.server.flow import Counters, Flow
from tms.server.listener import CannotListen, Listener

log = logging.getLogger(__name__)

DESCRIPTORS_WANTED = 65_536
"""Other limits of one process are reached before this many connections."""

REOPEN_EVERY = 50
"""How many connections must end before a full acceptor listens again; not after each."""

RETRY_LISTEN_S = 1.0

type NewProtocol = Callable[[tuple[str, int]], asyncio.BufferedProtocol]
"""A function that makes the protocol for a client's address."""


class Acceptor:
    """Listens while there is room, rejects when the process is full, and pauses while handshakes pile up.

    With rising load: at `flow.max_connections` the server answers upgrades with 503 (`is_full`); when
    `flow.spare_connections` are used up too, the listening socket is closed, so that a proxy tries another process at
    once; it is opened again a little below.
    """

    def __init__(self, host: str, port: int, flow: Flow, counters: Counters, new_protocol: NewProtocol) -> None:
        self.host, self.port, self.flow, self.counters, self.new_protocol = host, port, flow, counters, new_protocol
        self.capacity, self.listen_limit = limits(flow)
        self.inside = 0
        self.handshaking: set[object] = set()
        self.listener: Listener | None = None
        self.coming_in: set[asyncio.Task[None]] = set()
        self.is_open = False

    # Opening

    def listen(self) -> None:
        """Bind the port; clients wait in the kernel's queue until `open`. Raises PortInUse or CannotListen."""
        self.listener = Listener(self.host, self.port, self.flow, self.accept)
        self.port = self.listener.bound_port

    def open(self) -> None:
        self.is_open = True
        self.settle()

    def shut(self) -> None:
        """Stop listening for good."""
        self.is_open = False
        self.stop_listening()

    # Accepting

    def accept(self, listener: Listener) -> None:
        """Clients may come faster than they are accepted: open connections have their turn in between."""
        for _ in range(self.flow.backlog):
            if not (listener.is_reading and self.room > 0 and self.accept_one(listener)):
                return

    def accept_one(self, listener: Listener) -> bool:
        try:
            accepted, address = listener.socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError as error:  # out of descriptors or memory: existing connections need some more than new ones
            log.error("cannot accept: %s; trying again", error)
            listener.pause()
            asyncio.get_running_loop().call_later(RETRY_LISTEN_S, self.settle)
            return False
        self.entered()
        accepted.setblocking(False)
        task = asyncio.get_running_loop().create_task(self.come_in(accepted, address[:2]))
        self.coming_in.add(task)
        task.add_done_callback(self.coming_in.discard)
        return True

    async def come_in(self, accepted: socket.socket, address: tuple[str, int]) -> None:
        new_protocol = partial(self.new_protocol, address)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(new_protocol, accepted)
        except OSError:  # the client has already disconnected
            accepted.close()
            self.left()

    # Open connections

    @property
    def is_full(self) -> bool:
        return self.inside > self.capacity  # the current one is already counted

    @property
    def room(self) -> int:
        """How many connections may be accepted now."""
        return min(self.listen_limit - self.inside, self.flow.max_handshakes - len(self.handshaking))

    def entered(self) -> None:
        self.inside += 1
        self.settle()

    def left(self) -> None:
        self.inside -= 1
        self.settle()

    def handshake_began(self, connection: object) -> None:
        self.handshaking.add(connection)
        self.settle()

    def handshake_ended(self, connection: object) -> None:
        self.handshaking.discard(connection)
        self.settle()

    # The listening socket

    def settle(self) -> None:
        """Update the state of the listening socket; called whenever one of the counts changes."""
        if not self.is_open:
            return
        if self.inside >= self.listen_limit:
            self.turn_full()
        elif self.listener is None:
            if self.inside < self.listen_limit - self.listen_limit // REOPEN_EVERY:
                self.reopen()
        elif self.room > 0:
            self.listener.resume()
        else:
            self.listener.pause()

    def turn_full(self) -> None:
        if self.listener:
            self.counters["listening_stopped"] += 1
            log.error("full: %d connections are open; not listening until some have left", self.inside)
            self.stop_listening()

    def stop_listening(self) -> None:
        if self.listener:
            listener, self.listener = self.listener, None
            listener.close()

    def reopen(self) -> None:
        try:
            self.listen()
        except CannotListen as error:
            log.error("%s; trying again", error)
            asyncio.get_running_loop().call_later(RETRY_LISTEN_S, self.settle)
        else:
            log.info("listening again: %d connections are open", self.inside)
            self.settle()


def limits(flow: Flow) -> tuple[int, int]:
    """Connections at which upgrades are rejected, and at which listening stops; descriptors suffice for both."""
    allowed = max(2, descriptors_allowed() - flow.spare_descriptors)
    most = max(allowed - flow.spare_connections, allowed // 2)
    if flow.max_connections is None:
        return most, allowed
    if flow.max_connections > most:
        log.warning("descriptors suffice for %d connections, not %d (ulimit -n)", most, flow.max_connections)
    return min(flow.max_connections, most), min(flow.max_connections + flow.spare_connections, allowed)


def descriptors_allowed() -> int:
    """The limit of this process, raised to what we need as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= DESCRIPTORS_WANTED:
        return DESCRIPTORS_WANTED
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_WANTED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
