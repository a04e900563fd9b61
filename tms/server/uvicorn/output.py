"""Unwritten output of a WebSocket, and when a slow reader is dropped."""

from __future__ import annotations

import asyncio
import struct
from socket import SO_LINGER, SOL_SOCKET

from tms.server.base.counters import Event
from tms.server.uvicorn.state import UvicornSocketServer

WRITE_AHEAD = 64 * 1024
"""A sending application waits while more than this is unwritten."""

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: a close resets the connection, and the kernel drops what the peer did not accept."""


class UvicornOutput(asyncio.Protocol):
    """asyncio buffers without limit for a reader that stopped."""

    written = 0
    writable: asyncio.Future[None] | None = None
    """Pending while a sender waits for the reader."""

    def __init__(self, server: UvicornSocketServer, transport: asyncio.Transport) -> None:
        self.server, self.transport = server, transport

    @property
    def unwritten(self) -> int:
        return self.transport.get_write_buffer_size()

    @property
    def is_over_limit(self) -> bool:
        return self.transport.get_write_buffer_size() > self.server.flow.max_unwritten

    def write(self, data: bytes) -> None:
        """Everything that is sent passes here."""
        if self.transport.is_closing():
            return
        if self.is_over_limit:
            self.drop("slow_bytes")
            return
        self.written += len(data)
        self.transport.write(data)

    async def caught_up(self) -> None:
        """Wait until the kernel has accepted everything, if that is much."""
        if self.unwritten <= WRITE_AHEAD:
            return
        self.server.counters["send_waited"] += 1
        if self.writable is None:
            self.writable = asyncio.get_running_loop().create_future()
        await asyncio.shield(self.writable)  # other senders wait for it too when this one is cancelled

    def drop(self, why: Event) -> None:
        self.server.counters[why] += 1
        abort(self.transport)

    # Called by the transport: its high-water mark is 0

    def pause_writing(self) -> None:
        self.server.backlogs.began(self)

    def resume_writing(self) -> None:
        self.server.backlogs.ended(self)
        waited, self.writable = self.writable, None
        if waited and not waited.done():
            waited.set_result(None)


def abort(transport: asyncio.Transport) -> None:
    """asyncio's abort only stops writing: the kernel would still hold its buffer for a peer that reads nothing."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, AT_ONCE)
    transport.abort()
