"""A WebSocket until it opens, or is denied."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from time import monotonic

from tms.server.asgi import ASGI, EXTENSIONS, Message, Scope
from tms.server.flow import Event
from tms.server.network import NetworkConnection
from tms.server.websocket import upgrade_request
from tms.server.websocket.upgrade_request import Headers, InvalidUpgrade, UpgradeRequest

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

SERVER_HEADERS = {"connection", "content-length", "transfer-encoding"}
"""Headers about the transfer of a denial; the server writes them."""


class Phase(Enum):
    """The state of a WebSocket."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Handshake(NetworkConnection):
    """Answers the upgrade: with 101 and the application's subprotocol and headers, or with a denial of any status
    (`websocket.http.response`), and with 503 while the process is full or ending.
    """

    phase = Phase.CONNECTING
    scope: Scope | None = None
    answer: bytes | None = None
    """The beginning of the response that waits for the application."""
    denial: tuple[int, Headers, bytes] | None = None
    deadline: float | None = None
    """When the application must have accepted, and later, when the peer must have answered a close."""

    def begin(self, head: bytes, *, client: tuple[str, int]) -> None:
        try:
            request = upgrade_request.read(head)
        except InvalidUpgrade as error:
            content = ("Content-Type", "text/plain; charset=utf-8")
            self.deny(error.status, [content, *error.headers], f"{error}\n".encode())
            return
        if not self.shared.acceptor.is_open:
            self.refuse("refused_draining")
        elif self.shared.acceptor.is_full:
            self.refuse("refused_full")
        else:
            self.answer = request.answer
            self.shared.acceptor.handshake_began(self)
            self.deadline = monotonic() + self.shared.flow.handshake_timeout
            self.scope = self.scope_of(request, client)
            self.start(self.scope)

    def scope_of(self, request: UpgradeRequest, client: tuple[str, int]) -> Scope:
        return {
            "type": "websocket",
            "asgi": ASGI,
            "http_version": "1.1",
            "scheme": "ws",  # TLS ends at the proxy
            "path": request.path,
            "raw_path": request.raw_path,
            "query_string": request.query,
            "root_path": "",
            "headers": request.headers,
            "client": list(client),
            "server": list(self.transport.get_extra_info("sockname")[:2]),
            "subprotocols": request.subprotocols,
            "extensions": EXTENSIONS,
            "tms.connection": self,
        }

    def start(self, scope: Scope) -> None:
        """Run the application."""
        raise NotImplementedError

    def opened(self) -> None:
        """The client may send now."""
        raise NotImplementedError

    # The application's response

    def reply_accept(self, message: Message) -> None:
        if self.phase is not Phase.CONNECTING or self.answer is None or self.scope is None:
            return  # the client disconnected meanwhile
        subprotocol, offered = message.get("subprotocol"), self.scope["subprotocols"]
        if subprotocol is not None and subprotocol not in offered:
            raise ValueError(f"subprotocol {subprotocol!r} was not offered, but {offered!r}")
        self.write(upgrade_request.completed(self.answer, subprotocol, decoded(message.get("headers"))))
        self.answer = self.deadline = None
        self.phase = Phase.OPEN
        self.shared.acceptor.handshake_ended(self)
        self.opened()

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
        """Answer the handshake with 503: no room, or the process is ending; the client may retry, here or elsewhere."""
        self.shared.counters[why] += 1
        self.deny(503, [("Retry-After", str(self.shared.flow.retry_after))])

    def deny(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Answer the handshake with a plain HTTP response, and close."""
        if self.phase is not Phase.CONNECTING:
            return
        self.phase, self.deadline = Phase.CLOSING, None
        framing = [("Date", formatdate(usegmt=True)), ("Content-Length", str(len(body))), ("Connection", "close")]
        lines = [
            f"HTTP/1.1 {status} {phrase_of(status)}",
            *(f"{name}: {value}" for name, value in (*headers, *framing)),
        ]
        self.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        self.shared.acceptor.handshake_ended(self)
        self.transport.close()


def phrase_of(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus else ""


def decoded(headers: Iterable[tuple[bytes, bytes]] | None) -> Headers:
    """ASGI's headers as text. Raises ValueError for one with a line break."""
    texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers or ()]
    for name, value in texts:
        if CONTROL.search(name) or CONTROL.search(value):
            raise ValueError(f"control character in header {name!r}")
    return texts


def of_denial(headers: Iterable[tuple[bytes, bytes]] | None) -> Headers:
    return [(name, value) for name, value in decoded(headers) if name.lower() not in SERVER_HEADERS]
