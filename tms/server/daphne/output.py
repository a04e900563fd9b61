"""Unwritten output of a WebSocket, and when a reader that does not take it is dropped."""

from __future__ import annotations

import asyncio

from daphne.ws_protocol import WebSocketProtocol

from tms.server.base.counters import Event
from tms.server.base.flow import Flow
from tms.server.base.interface import SocketServer
from tms.server.daphne.transport import FlowTransport


class DaphneOutput(WebSocketProtocol):
    """daphne buffers without bound for a reader that stopped: one browser made the process grow by 186 MiB."""

    server: SocketServer
    """Absent when the handshake was malformed or there was no room for it."""

    transport: FlowTransport
    state: int
    writable: asyncio.Future[None] | None = None
    """Pending while more than 64 KiB are unwritten."""

    @property
    def unwritten(self) -> int:
        return self.transport.unwritten

    @property
    def owes_too_much(self) -> bool:
        flow: Flow = self.factory.server_class.flow
        return self.transport.unwritten > flow.max_unwritten

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """All that autobahn sends comes through here: messages, pings, pongs, closes, answers to the handshake."""
        if self.owes_too_much:
            self.drop("slow_bytes")
        else:
            self.transport.write(data)

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        """Autobahn's states stand no drop inside of it."""
        if self.owes_too_much:
            self.drop("slow_bytes")
        else:
            super().sendCloseFrame(code=code, reasonUtf8=reasonUtf8, isReply=isReply)

    def dropConnection(self, abort: bool = False) -> None:
        """Without a reset after closes that were exchanged: on a busy machine it overtakes our close frame, and a peer
        that closed at the same time would not learn our code.
        """
        super().dropConnection(abort and not self.wasClean)

    def drop(self, why: Event) -> None:
        self.factory.server_class.counters[why] += 1
        self.wasClean, self.wasNotCleanReason = False, why
        self.dropConnection(abort=True)  # nothing, if it waits only for its last bytes to go
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
