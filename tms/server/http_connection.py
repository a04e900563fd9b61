"""A connection until it becomes a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import override

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from tms.server.network import NetworkConnection, Shared, abort
from tms.server.pages import DaphneRequest, Pages
from tms.server.websocket import upgrade_request
from tms.server.websocket.socket import WebSocket


class HttpConnection(NetworkConnection):
    """Looks at each request: an upgrade becomes a WebSocket, anything else goes to Twisted and daphne as it came.

    Twisted and daphne would read an upgrade three times, which is half of a handshake, and nearly all connections are
    for one.
    """

    channel: HTTPChannel | None = None
    """Reads requests of pages; created with the first one."""
    unread = b""
    drain: asyncio.Future[None] | None = None
    """Done when all output is written, or the connection has ended."""

    def __init__(self, shared: Shared, pages: Pages, peer: tuple[str, int]) -> None:
        self.shared, self.pages, self.peer = shared, pages, peer
        self.deadlines = pages.deadlines

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=0)
        self.deadlines.connected(self, monotonic())

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.channel is not None:
            self.channel.connectionLost(Failure(ConnectionLost() if exc else ConnectionDone()))
            self.channel = None  # it refers to this
        self.deadlines.discard(self)
        super().connection_lost(exc)
        self.end_drain()

    # Output

    async def drained(self) -> None:
        if self.unwritten and not self.transport.is_closing():
            self.drain = self.drain or asyncio.get_running_loop().create_future()
            await asyncio.shield(self.drain)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self.end_drain()

    def end_drain(self) -> None:
        if self.drain is not None and not self.drain.done():
            self.drain.set_result(None)
        self.drain = None

    # Requests

    @override
    def data_received(self, data: bytes) -> None:
        self.unread += data
        if self.deadlines.answering[self]:
            self.transport.pause_reading()  # what follows waits in the network for the answer
        elif self.channel is not None and self.channel.requests:
            self.pass_on(self.channel)  # the body of a request
        else:
            self.begin_request()

    def begin_request(self) -> None:
        self.deadlines.began(self, monotonic())
        if self.channel is not None:
            self.unread = self.channel.clearLineBuffer() + self.unread
        if self.is_over_limit:  # of earlier answers
            self.drop("slow_bytes")
        elif upgrade_request.may_continue(self.unread):
            return
        elif head := upgrade_request.head_in(self.unread):
            self.become_websocket(head)
        else:
            self.pass_on(self.channel or self.open_channel())

    def pass_on(self, channel: HTTPChannel) -> None:
        data, self.unread = self.unread, b""
        channel.dataReceived(data)

    def open_channel(self) -> HTTPChannel:
        self.channel = channel = HTTPChannel()
        channel.factory = self.pages.http_factory
        channel.requestFactory = DaphneRequest
        channel.makeConnection(self)
        return channel

    def answered(self) -> None:
        """A request was answered: read on."""
        self.deadlines.answered(self, monotonic())
        if self.unread:
            asyncio.get_running_loop().call_soon(self.read_on)

    def read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self.data_received(b"")

    def become_websocket(self, head: bytes) -> None:
        self.deadlines.discard(self)
        self.channel = None
        socket = WebSocket(self.shared, self.transport)
        self.transport.set_protocol(socket)
        if self.unwritten:  # of earlier answers; the new protocol was not notified
            self.shared.backlogs.ended(self)
            self.shared.backlogs.began(socket)
        socket.begin(head, client=self.peer)
        if early := self.unread[len(head) :]:
            socket.data_received(early)

    # The transport of Twisted's channel (ITransport)

    @property
    def disconnecting(self) -> bool:
        return self.transport.is_closing()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def loseConnection(self) -> None:
        self.transport.close()

    def abortConnection(self) -> None:
        abort(self.transport)

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", *self.peer)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", *self.transport.get_extra_info("sockname")[:2])
