"""What a new connection is for, decided by its first bytes."""

from __future__ import annotations

from typing import Any, cast

from daphne.http_protocol import HTTPFactory
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol

from tms.server.daphne.protocol import FlowProtocol
from tms.server.daphne.transport import FlowTransport
from tms.server.websocket import upgrade_request


class FirstRequests(Factory):
    """Builds the protocol of each connection.

    Twisted reads any request as one of a page; for an upgrade daphne writes it again for autobahn, which reads it once
    more. That is half of a handshake, and nearly all connections are for a plain upgrade.
    """

    noisy = False

    def __init__(self, http: HTTPFactory, websockets: WebSocketFactory) -> None:
        self.http, self.websockets = http, websockets

    def startFactory(self) -> None:
        self.http.doStart()

    def stopFactory(self) -> None:
        self.http.doStop()

    def buildProtocol(self, addr: IAddress | None) -> FirstRequest:
        return FirstRequest(self, addr)


class FirstRequest(Protocol):
    """A connection that has sent nothing yet."""

    def __init__(self, factory: FirstRequests, addr: IAddress | None) -> None:
        self.factory, self.addr = factory, addr

    def dataReceived(self, data: bytes) -> None:
        request = upgrade_request.read(data)
        if request is None:
            self.become(self.factory.http).dataReceived(data)
        else:
            cast(FlowProtocol, self.become(self.factory.websockets)).begin(request)

    def become(self, factory: HTTPFactory | WebSocketFactory) -> Any:
        """The protocol that replaces this one."""
        transport = cast(FlowTransport, self.transport)
        transport.protocol = protocol = factory.buildProtocol(self.addr)
        protocol.makeConnection(transport)
        return protocol
