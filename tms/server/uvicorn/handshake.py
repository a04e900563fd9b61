"""A WebSocket until it opens, or is denied."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

from websockets import datastructures
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from tms.server.base.asgi import Message, Scope
from tms.server.base.counters import Event
from tms.server.base.interface import SocketPhase
from tms.server.uvicorn.frames import QUIET
from tms.server.uvicorn.output import UvicornOutput
from tms.server.websocket.denial_headers import Headers, decoded, of_denial


class UvicornHandshake(UvicornOutput):
    """Answers the upgrade: with 101 and the application's subprotocol and headers, or with a denial of any status."""

    phase = SocketPhase.CONNECTING
    scope: Scope | None = None
    acceptance: Response | None = None
    """The response that waits for the application."""
    denial: tuple[int, Headers, bytes] | None = None

    def begin(self, request: Request, scope: Scope) -> None:
        response = ServerProtocol(logger=QUIET).accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self.answer(response)
        elif not all(name.isascii() for name in scope["subprotocols"]):
            self.deny(400)
        elif self.server.draining:
            self.refuse("refused_draining")
        elif self.server.acceptor.is_full:
            self.refuse("refused_full")
        else:
            self.acceptance = response
            self.start(scope)

    def start(self, scope: Scope) -> None:
        self.server.acceptor.handshake_began(self)
        scope["tms.connection"] = self
        self.scope = scope

    # The application's response

    def reply_accept(self, message: Message) -> None:
        if self.phase is not SocketPhase.CONNECTING or self.acceptance is None:
            return  # the client disconnected meanwhile
        if self.is_over_limit:  # earlier responses on this connection that the client does not read
            self.drop("slow_bytes")
            return
        self.choose(message.get("subprotocol"))
        for name, value in decoded(message.get("headers")):
            self.acceptance.headers[name] = value
        self.write(self.acceptance.serialize())
        self.acceptance = None
        self.phase = SocketPhase.OPEN
        self.opened()

    def choose(self, subprotocol: str | None) -> None:
        assert self.scope is not None
        assert self.acceptance is not None
        if subprotocol is None:
            return
        if subprotocol not in self.scope["subprotocols"]:
            raise ValueError(f"subprotocol {subprotocol!r} was not offered, but {self.scope['subprotocols']!r}")
        self.acceptance.headers["Sec-WebSocket-Protocol"] = subprotocol

    def reply_response_start(self, message: Message) -> None:
        self.denial = (message["status"], of_denial(message.get("headers")), b"")

    def reply_response_body(self, message: Message) -> None:
        if self.denial is None:
            raise ValueError("websocket.http.response.body before websocket.http.response.start")
        status, given, body = self.denial
        body += message.get("body", b"")
        self.denial = (status, given, body)
        if not message.get("more_body"):
            self.deny(status, given, body)

    def opened(self) -> None:
        """The client may send now."""
        self.server.acceptor.handshake_ended(self)

    # Denying

    def refuse(self, why: Event) -> None:
        self.server.counters[why] += 1
        self.deny(503, [("Retry-After", str(self.server.flow.retry_after))])

    def deny(self, status: int, given: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Answer the handshake with a plain HTTP response, and close."""
        if self.phase is not SocketPhase.CONNECTING:
            return
        framing = [("Date", formatdate(usegmt=True)), ("Content-Length", str(len(body))), ("Connection", "close")]
        self.answer(Response(status, HTTPStatus(status).phrase, datastructures.Headers([*given, *framing]), body))

    def answer(self, denial: Response) -> None:
        self.phase = SocketPhase.CLOSING
        self.write(denial.serialize())
        self.server.acceptor.handshake_ended(self)
        self.transport.close()
