"""A WebSocket until it opens, or is denied."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from time import monotonic
from typing import Any

from autobahn.websocket.types import ConnectionRequest
from twisted.internet.defer import Deferred

from tms.server.base.asgi import Message
from tms.server.base.counters import Event
from tms.server.base.interface import SocketServer
from tms.server.daphne.output import DaphneOutput
from tms.server.websocket import upgrade_request
from tms.server.websocket.denial_headers import Headers, decoded, of_denial
from tms.server.websocket.upgrade_request import UpgradeRequest


class DaphneHandshake(DaphneOutput):
    """Adds to daphne: a denial with any status, headers and body before the upgrade (`websocket.http.response`),
    headers with the accept, a check of the subprotocol, and 503 while the process is full or ending.
    """

    received_at = 0.0
    deadline = 0.0
    """Of the application, to accept."""
    request: ConnectionRequest | UpgradeRequest
    denial: tuple[int, Headers, bytes] | None = None

    def begin(self, request: UpgradeRequest) -> None:
        """A valid handshake arrived as the first request: the same as onConnect, without autobahn's parser."""
        server: SocketServer = self.factory.server_class
        self.websocket_protocols = list(request.subprotocols)
        self.take_over_output()
        self.screen(server)
        if self.state == self.STATE_CONNECTING:
            self.handshake_began(server)
            self.start_application(request)

    def start_application(self, request: UpgradeRequest) -> None:
        server = self.factory.server_class
        self.server, self.request = server, request
        peer, host = self.transport.getPeer(), self.transport.getHost()
        self.client_addr = [peer.host, peer.port]
        server.protocol_connected(self)
        scope = {
            "type": "websocket",
            "path": request.path,
            "raw_path": request.raw_path,
            "headers": request.headers,
            "query_string": request.query,
            "client": self.client_addr,
            "server": [host.host, host.port],
            "subprotocols": request.subprotocols,
        }
        self.application_queue = server.create_application(self, scope)
        self.application_queue.put_nowait({"type": "websocket.connect"})

    def onConnect(self, request: Any) -> Deferred[Any]:
        """A valid handshake arrived. Accepted through daphne's `handshake_deferred`, denied without it."""
        server: SocketServer = self.factory.server_class
        self.take_over_output()
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            self.deny(400)  # daphne would respond with 500 and log a traceback
        else:
            self.screen(server)
        if self.state != self.STATE_CONNECTING:
            return Deferred()  # answered: never fires
        self.handshake_began(server)
        answer: Deferred[Any] = super().onConnect(request)
        return answer

    def screen(self, server: SocketServer) -> None:
        """Refuse while the process is full or ending."""
        if server.draining:
            self.refuse("refused_draining")
        elif server.acceptor.is_full:
            self.refuse("refused_full")

    # The application's response

    def reply_accept(self, message: Message) -> None:
        if self.state != self.STATE_CONNECTING:
            return  # the client disconnected meanwhile
        if self.is_over_limit:  # earlier responses on this connection that the client does not read
            self.drop("slow_bytes")
            return
        subprotocol = message.get("subprotocol")
        if subprotocol is not None and subprotocol not in self.websocket_protocols:
            raise ValueError(f"subprotocol {subprotocol!r} was not offered, but {self.websocket_protocols!r}")
        given = decoded(message.get("headers"))
        if isinstance(self.request, UpgradeRequest):
            self.open(upgrade_request.completed(self.request.answer, subprotocol, given))
            return
        headers: dict[str, list[str]] = {}
        for name, value in given:
            headers.setdefault(name, []).append(value)
        accepted = self.handshake_deferred
        del self.handshake_deferred
        accepted.callback((subprotocol, headers))  # autobahn accepts the pair

    def open(self, response: bytes) -> None:
        """Autobahn's own `succeedHandshake`, for a request that it did not read."""
        self.sendData(response)
        self.state = self.STATE_OPEN
        self.onOpen()
        if self.data:
            self.consumeData()

    def reply_response_start(self, message: Message) -> None:
        self.denial = (message["status"], of_denial(message.get("headers")), b"")

    def reply_response_body(self, message: Message) -> None:
        if self.denial is None:
            raise ValueError("websocket.http.response.body before websocket.http.response.start")
        status, headers, body = self.denial
        body += message.get("body", b"")
        self.denial = (status, headers, body)
        if not message.get("more_body"):
            self.deny(status, headers, body)

    # Denying

    def refuse(self, why: Event) -> None:
        server = self.factory.server_class
        server.counters[why] += 1
        self.deny(503, [("Retry-After", str(server.flow.retry_after))])

    def deny(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Answer the handshake with a plain HTTP response, and close."""
        if self.state != self.STATE_CONNECTING:
            return
        if hasattr(self, "handshake_deferred"):
            del self.handshake_deferred
        framing = [("Content-Length", str(len(body))), ("Connection", "close")]
        self.denial = (status, [*headers, *framing], body)
        self.failHandshake(HTTPStatus(status).phrase, status, self.denial[1])

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Headers | None = None) -> None:
        """Autobahn does not support a body."""
        super().sendHttpErrorResponse(code, reason, responseHeaders)
        if self.denial and self.denial[2]:
            self.sendData(self.denial[2])

    def handshake_began(self, server: SocketServer) -> None:
        server.acceptor.handshake_began(self)
        self.received_at = now = monotonic()
        self.deadline = now + server.flow.handshake_timeout
        server.wheel.watch(self, min(self.deadline, now + server.flow.ping_interval))

    def handshake_ended(self) -> None:
        if hasattr(self, "server"):
            self.server.acceptor.handshake_ended(self)
