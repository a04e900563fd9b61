"""What pages and WebSockets have in common: an accepted connection on asyncio, and what is shared by all of them."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from time import monotonic

from tms.server.acceptor import Acceptor
from tms.server.applications import Applications
from tms.server.flow import Event
from tms.server.timer_wheel import Wheel

READ_BYTES = 64 * 1024
"""The most that is read of one connection before others have their turn."""

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: a close resets the connection, and the kernel drops what the peer did not accept."""


class Shared:
    """What the connections of a process share."""

    def __init__(self, acceptor: Acceptor, applications: Applications) -> None:
        self.acceptor, self.applications = acceptor, applications
        self.flow, self.counters = acceptor.flow, acceptor.counters
        self.backlogs = Backlogs(self.flow.max_blocked)
        self.wheel = Wheel(monotonic())
        self.read_buffer = memoryview(bytearray(READ_BYTES))
        """What is read into it is taken before the next connection is read."""
        self.sockets: dict[NetworkConnection, None] = {}
        """Open WebSockets, including handshakes in progress, oldest first."""
        self.emptied = asyncio.Event()
        """Set when a socket, a request or an application is over."""


@dataclass(slots=True)
class Backlog:
    accepted: int
    """Bytes that the kernel has accepted in all."""
    since: float
    """When it last accepted some."""


class Backlogs:
    """Connections with unwritten output, and since when they are blocked; only those are checked periodically."""

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.pending: dict[NetworkConnection, Backlog] = {}

    def began(self, connection: NetworkConnection) -> None:
        self.pending[connection] = Backlog(connection.accepted, monotonic())

    def ended(self, connection: NetworkConnection) -> None:
        self.pending.pop(connection, None)

    def stuck(self, now: float) -> Iterator[NetworkConnection]:
        """The connections whose reader accepted nothing for too long."""
        for connection, backlog in list(self.pending.items()):
            if connection.accepted > backlog.accepted:
                backlog.accepted, backlog.since = connection.accepted, now
            elif now - backlog.since >= self.longest:
                yield connection


class NetworkConnection(asyncio.BufferedProtocol):
    """Reads into the one buffer of the process, and knows its unwritten output."""

    shared: Shared
    transport: asyncio.Transport
    """Writes at once, and reports what the kernel does not accept: its high-water mark is 0."""
    written = 0
    """Bytes passed to the transport."""

    # Input

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.shared.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self.shared.read_buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        raise NotImplementedError

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport.close()  # after a reset asyncio's transport refers to itself, until the garbage collector runs
        self.shared.backlogs.ended(self)
        self.shared.acceptor.left()

    # Output

    @property
    def unwritten(self) -> int:
        """Bytes that were written but that the kernel has not accepted yet."""
        return self.transport.get_write_buffer_size()

    @property
    def accepted(self) -> int:
        """Bytes that the kernel has accepted."""
        return self.written - self.unwritten

    @property
    def is_over_limit(self) -> bool:
        return self.transport.get_write_buffer_size() > self.shared.flow.max_unwritten

    def write(self, data: bytes) -> None:
        """Everything that is sent passes here."""
        if not self.transport.is_closing():
            self.written += len(data)
            self.transport.write(data)

    def drop(self, why: Event) -> None:
        """Abort the connection: the peer sees a reset, and buffered output is freed."""
        self.shared.counters[why] += 1
        abort(self.transport)

    def pause_writing(self) -> None:
        self.shared.backlogs.began(self)

    def resume_writing(self) -> None:
        self.shared.backlogs.ended(self)


def abort(transport: asyncio.Transport) -> None:
    """asyncio's abort only stops writing: the kernel would still hold its buffer for a peer that reads nothing."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, AT_ONCE)
    transport.abort()
