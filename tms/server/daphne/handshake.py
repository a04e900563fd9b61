"""A WebSocket until it opens, or is denied."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred

from tms.server.base.asgi import Message
from tms.server.base.counters import Event
from tms.server.base.interface import SocketServer
from tms.server.daphne.output import DaphneOutput
from tms.server.websocket.denial_headers import Headers, decoded, of_denial


class DaphneHandshake(DaphneOutput):
    """Adds to daphne: a denial with any status, headers and body before the upgrade (`websocket.http.response`),
    headers with the accept, a check of the subprotocol, and 503 while the process is full or ending.
    """

    received_at = 0.0
    denial: tuple[int, Headers, bytes] | None = None

    def onConnect(self, request: Any) -> Deferred[Any]:
        """A valid handshake arrived. Accepted through daphne's `handshake_deferred`, denied without it."""
        server: SocketServer = self.factory.server_class
        self.received_at = monotonic()
        self.take_over_output()
        self.screen(request, server)
        if self.state != self.STATE_CONNECTING:
            return Deferred()  # answered: never fires
        server.acceptor.handshake_began(self)
        answer: Deferred[Any] = super().onConnect(request)
        return answer

    def screen(self, request: Any, server: SocketServer) -> None:
        """Reject what the application need not see."""
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            self.deny(400)  # daphne would respond with 500 and log a traceback
        elif server.draining:
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
        headers: dict[str, list[str]] = {}
        for name, value in decoded(message.get("headers")):
            headers.setdefault(name, []).append(value)
        accepted = self.handshake_deferred
        del self.handshake_deferred
        accepted.callback((subprotocol, headers))  # autobahn accepts the pair

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

    def handshake_ended(self) -> None:
        if hasattr(self, "server"):
            self.server.acceptor.handshake_ended(self)
