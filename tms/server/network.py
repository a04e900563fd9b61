"""What pages and WebSockets have in common: an accepted connection on asyncio."""

from __future__ import annotations

import asyncio
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING

from tms.server.counters import Event

if TYPE_CHECKING:
    from tms.server.server import Server

READ_BYTES = 64 * 1024
"""The most that is read of one connection before others have their turn."""

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: a close resets the connection, and the kernel drops what the peer did not accept."""


class NetworkConnection(asyncio.BufferedProtocol):
    """Reads into the one buffer of the process, and knows its unwritten output."""

    server: Server
    transport: asyncio.Transport
    """Writes at once, and reports what the kernel does not accept: its high-water mark is 0."""
    written = 0
    """Bytes passed to the transport."""

    # Input

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.server.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self.server.read_buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        raise NotImplementedError

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport.close()  # after a reset asyncio's transport refers to itself, until the garbage collector runs
        self.server.backlogs.ended(self)
        self.server.acceptor.left()

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
        return self.transport.get_write_buffer_size() > self.server.flow.max_unwritten

    def write(self, data: bytes) -> None:
        """Everything that is sent passes here."""
        if not self.transport.is_closing():
            self.written += len(data)
            self.transport.write(data)

    def drop(self, why: Event) -> None:
        """Abort the connection: the peer sees a reset, and buffered output is freed."""
        self.server.counters[why] += 1
        abort(self.transport)

    def pause_writing(self) -> None:
        self.server.backlogs.began(self)

    def resume_writing(self) -> None:
        self.server.backlogs.ended(self)


def abort(transport: asyncio.Transport) -> None:
    """asyncio's abort only stops writing: the kernel would still hold its buffer for a peer that reads nothing."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, AT_ONCE)
    transport.abort()
