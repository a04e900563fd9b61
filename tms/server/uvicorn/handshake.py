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
from tms.server.websocket import upgrade_request
from tms.server.websocket.denial_headers import Headers, decoded, of_denial


class UvicornHandshake(UvicornOutput):
    """Answers the upgrade: with 101 and the application's subprotocol and headers, or with a denial of any status."""

    phase = SocketPhase.CONNECTING
    scope: Scope | None = None
    acceptance: bytes | None = None
    """The beginning of the response that waits for the application."""
    denial: tuple[int, Headers, bytes] | None = None

    def begin(self, scope: Scope, request: bytes | Request) -> None:
        """`request` is the answer to a plain one, or one that the library has to check."""
        answer = request if isinstance(request, bytes) else self.answer_of_library(request)
        if answer is None:
            return
        if not all(name.isascii() for name in scope["subprotocols"]):
            self.deny(400)
        elif self.server.draining:
            self.refuse("refused_draining")
        elif self.server.acceptor.is_full:
            self.refuse("refused_full")
        else:
            self.acceptance = answer
            self.start(scope)

    def answer_of_library(self, request: Request) -> bytes | None:
        """None if it rejected the request."""
        response = ServerProtocol(logger=QUIET).accept(request)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            return response.serialize().removesuffix(b"\r\n")
        self.answer(response)
        return None

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
        subprotocol = message.get("subprotocol")
        self.check_offered(subprotocol)
        self.write(upgrade_request.completed(self.acceptance, subprotocol, decoded(message.get("headers"))))
        self.acceptance = None
        self.phase = SocketPhase.OPEN
        self.opened()

    def check_offered(self, subprotocol: str | None) -> None:
        assert self.scope is not None
        if subprotocol is not None and subprotocol not in self.scope["subprotocols"]:
            raise ValueError(f"subprotocol {subprotocol!r} was not offered, but {self.scope['subprotocols']!r}")

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
