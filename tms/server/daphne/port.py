"""The listening socket on Twisted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import tcp
from twisted.internet.error import CannotListenError

from tms.server.base.acceptor import Acceptor
from tms.server.daphne.reactor import FlowReactor
from tms.server.daphne.transport import FlowTransport, ListeningPort


class FlowPort(ListeningPort):
    """A listening socket that accepts no more than the acceptor has room for."""

    transport: type[tcp.Server] = FlowTransport

    def __init__(self, acceptor: Acceptor, factory: Any, reactor: FlowReactor) -> None:
        super().__init__(acceptor.port, factory, acceptor.flow.backlog, acceptor.host, reactor)
        self.acceptor = acceptor

    def createInternetSocket(self) -> socket.socket:
        listener: socket.socket = super().createInternetSocket()
        if self.acceptor.flow.kernel_sndbuf:  # accepted sockets inherit it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.acceptor.flow.kernel_sndbuf)
        return listener

    def startListening(self) -> None:
        try:
            super().startListening()
        except CannotListenError as error:  # it wraps errors of bind(), but not of listen()
            raise error.socketError from None
        self.bound_port: int = self.getHost().port
        self.stopReading()

    def doRead(self) -> None:
        """Twisted accepts `numberAccepts` connections in one iteration, and more each time that was not enough."""
        self.numberAccepts = min(self.numberAccepts, self.acceptor.room)
        super().doRead()

    # Called by the acceptor

    def resume(self) -> None:
        self.startReading()

    def pause(self) -> None:
        self.stopReading()

    def close(self, then: Callable[[], None]) -> None:
        self.stopListening().addCallback(lambda _: then())
