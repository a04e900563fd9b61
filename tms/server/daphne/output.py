"""Unwritten output of a WebSocket, and when a slow reader is dropped."""

from __future__ import annotations

import asyncio

from daphne.ws_protocol import WebSocketProtocol

from tms.server.base.counters import Event
from tms.server.base.flow import Flow
from tms.server.base.interface import SocketServer
from tms.server.daphne.transport import FlowTransport


class DaphneOutput(WebSocketProtocol):
    """daphne buffers without limit for a reader that stopped: one browser made the process grow by 186 MiB."""

    server: SocketServer
    """Missing if the handshake was malformed or there was no room for it."""

    transport: FlowTransport
    state: int
    writable: asyncio.Future[None] | None = None
    """Pending while more than 64 KiB are unwritten."""

    @property
    def unwritten(self) -> int:
        return self.transport.unwritten

    @property
    def is_over_limit(self) -> bool:
        flow: Flow = self.factory.server_class.flow
        return self.transport.unwritten > flow.max_unwritten

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Everything that autobahn sends passes here: messages, pings, pongs, closes, handshake responses."""
        if self.is_over_limit:
            self.drop("slow_bytes")
        else:
            self.transport.write(data)

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        """Deferred, because autobahn's state machine does not support a drop within it."""
        if self.is_over_limit:
            self.drop("slow_bytes")
        else:
            super().sendCloseFrame(code=code, reasonUtf8=reasonUtf8, isReply=isReply)

    def dropConnection(self, abort: bool = False) -> None:
        """Without a reset after a completed close handshake: on a busy machine it overtakes our close frame, and a peer
        that closed at the same time would not see our code.
        """
        super().dropConnection(abort and not self.wasClean)

    def drop(self, why: Event) -> None:
        self.factory.server_class.counters[why] += 1
        self.wasClean, self.wasNotCleanReason = False, why
        self.dropConnection(abort=True)  # no effect if it waits only for its last bytes to be sent
        self.transport.abortConnection()
        self.resumeProducing()

    # Back-pressure, as the transport's producer

    def take_over_output(self) -> None:
        """The HTTP channel stays the transport's producer after an upgrade, and would be notified instead."""
        self.unregisterProducer()
        self.registerProducer(self, True)

    def pauseProducing(self) -> None:
        self.writable = asyncio.get_running_loop().create_future()

    def resumeProducing(self) -> None:
        waited, self.writable = self.writable, None
        if waited and not waited.done():
            waited.set_result(None)

    stopProducing = resumeProducing  # the connection is lost: senders need not wait any more
