"""HTTP: pages, health checks and upgrades, on uvicorn's own protocol."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from websockets.datastructures import Headers
from websockets.http11 import Request

from tms.server.base.asgi import ASGI, EXTENSIONS, Scope
from tms.server.base.counters import Event
from tms.server.base.deadlines import Deadlines
from tms.server.uvicorn.output import abort
from tms.server.uvicorn.socket import FlowSocket
from tms.server.uvicorn.state import FlowState
from tms.server.websocket import upgrade_request


class FlowHttp(HttpToolsProtocol):
    """Adds to uvicorn's: counting by the acceptor, dropping stuck readers, and the upgrade to our WebSocket."""

    server_state: FlowState
    written = 0  # of the response in progress: it grows only when everything was accepted

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # write at once, and report what the kernel does not accept
        self.deadlines.connected(self, monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.deadlines.discard(self)
        self.server_state.server.backlogs.ended(self)
        self.server_state.server.acceptor.left()

    # A request

    @property
    def deadlines(self) -> Deadlines:
        return self.server_state.server.acceptor.deadlines

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.deadlines.began(self, monotonic())

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if not getattr(self.cycle, "response_complete", False):  # else it was answered before it was complete
            self.deadlines.complete(self)

    def on_response_complete(self) -> None:
        self.deadlines.answered(self, monotonic())
        super().on_response_complete()

    # Output

    @property
    def unwritten(self) -> int:
        return self.transport.get_write_buffer_size()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.server_state.server.backlogs.began(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.server_state.server.backlogs.ended(self)

    def drop(self, why: Event) -> None:
        self.server_state.server.counters[why] += 1
        abort(self.transport)

    # The upgrade

    def handle_websocket_upgrade(self) -> None:
        """uvicorn's version serialises the request again for another parser, and does not wait for responses in
        progress.
        """
        if not getattr(self.cycle, "response_complete", True):
            abort(self.transport)  # no HTTP client sends an upgrade before the response to its previous request
            return
        self.connections.discard(self)
        self.deadlines.discard(self)
        server = self.server_state.server
        socket = FlowSocket(server, self.transport)
        self.transport.set_protocol(socket)
        if self.unwritten:  # of earlier responses; the new protocol was not notified
            server.backlogs.ended(self)
            server.backlogs.began(socket)
        server.sockets_inside[socket] = None
        socket.begin(self.websocket_scope(), self.plain_answer() or self.request())
        self.loop.call_soon(vars(self).clear)  # the parser and this refer to each other; nothing else refers to them

    def plain_answer(self) -> bytes | None:
        """The beginning of the response; None if the library has to check the request."""
        is_plain = self.scope["method"] == "GET" and self.scope["http_version"] == "1.1"
        return upgrade_request.answer_to_plain(self.headers) if is_plain else None

    def request(self) -> Request:
        headers = Headers()
        for name, value in self.headers:
            headers[name.decode("latin-1")] = value.decode("latin-1")
        return Request(self.url.decode("latin-1"), headers, self.scope["method"], f"HTTP/{self.scope['http_version']}")

    def websocket_scope(self) -> Scope:
        path, _, query = self.url.partition(b"?")
        offered = [value.decode("latin-1") for name, value in self.headers if name == b"sec-websocket-protocol"]
        scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": ASGI,
            "http_version": self.scope["http_version"],
            "scheme": "ws",  # TLS ends at the proxy
            "server": self.server,
            "client": self.client,
            "root_path": "",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "headers": self.headers,
            "subprotocols": [one.strip() for line in offered for one in line.split(",")],
            "extensions": EXTENSIONS,
        }
        return scope
