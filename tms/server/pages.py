"""Pages and REST on daphne: one application (an ASGI task) for each request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypedDict, override

import daphne.server
from daphne.http_protocol import WebRequest

from tms.server.applications import Mailbox
from tms.server.asgi import ASGI, Message, Scope
from tms.server.deadlines import Deadlines
from tms.server.network import Shared

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class DaphneRequest(WebRequest):
    """A request that is no upgrade, or one that came before the answer to the request in front of it."""

    @override
    def gotLength(self, length: int | None) -> None:
        if (length or 0) > self.channel.transport.shared.flow.max_body:
            self.refuse_body()
            length = 0
        super().gotLength(length)

    @override
    def handleContentChunk(self, data: bytes) -> None:
        """Bounds a body that does not say its length, which is on disk until it is complete."""
        if self.content.tell() + len(data) > self.channel.transport.shared.flow.max_body:
            self.refuse_body()
            return
        super().handleContentChunk(data)

    def refuse_body(self) -> None:
        """The answer comes before the body: the rest of it is not read."""
        self.channel.transport.write(TOO_LARGE)
        self.channel.transport.loseConnection()

    @override
    def process(self) -> Any:
        self.requestHeaders.removeHeader(b"upgrade")  # RFC 9110, 7.8: a server may ignore it
        return super().process()

    @override
    def handle_exception(self, exception: BaseException) -> None:
        try:
            super().handle_exception(exception)
        except ValueError:  # the response had begun: only its missing end shows the client the error
            self.loseConnection()


class Details(TypedDict, total=False):
    """State of each request; daphne reads it."""

    application_instance: asyncio.Task[None]
    disconnected: bool


class Pages(daphne.server.Server):
    """Replaces daphne's running of applications.

    daphne scans all requests each second for ended ones, by the wall clock; here the end of a task is a callback.
    """

    loop: asyncio.AbstractEventLoop
    connections: dict[DaphneRequest, Details]
    """Requests that are not over."""

    def __init__(self, shared: Shared, *, prepare: Callable[[], None]) -> None:
        """`prepare` is called when the event loop is set, but does not run yet."""
        self.shared = shared
        self.deadlines = Deadlines(shared.flow)
        super().__init__(
            shared.applications.application,
            endpoints=["none"],  # daphne requires one
            signal_handlers=False,
            ready_callable=prepare,
            server_name="",
            verbosity=0,
        )
        self.endpoints: list[str] = []  # daphne must not listen: the acceptor does

    @override
    def protocol_connected(self, protocol: DaphneRequest) -> None:
        self.connections[protocol] = {}

    @override
    def create_application(self, protocol: DaphneRequest, scope: Scope) -> Mailbox[Message] | None:
        """Start the application; the queue receives its messages. None if the client has disconnected."""
        if protocol not in self.connections:
            return None
        self.deadlines.complete(protocol.transport)
        queue = Mailbox[Message]()
        scope.setdefault("asgi", ASGI)
        scope["root_path"] = ""  # daphne lets any client set it by a header
        send = partial(self.handle_reply, protocol)
        task = self.shared.applications.start(scope, queue.get, send)
        self.connections[protocol]["application_instance"] = task
        task.add_done_callback(partial(self.application_done, protocol))
        return queue

    def application_done(self, protocol: DaphneRequest, task: asyncio.Task[None]) -> None:
        error = self.shared.applications.ended(task)
        details = self.connections.get(protocol)
        if details is None:
            return
        del details["application_instance"]
        if "disconnected" in details:
            self.request_over(protocol)
        elif error:
            protocol.handle_exception(error)

    @override
    async def handle_reply(self, protocol: DaphneRequest, message: Message) -> None:
        """Wait for the reader after each part of a long response: all of it would otherwise be in memory."""
        await super().handle_reply(protocol, message)
        if message.get("more_body") and protocol in self.connections:
            await protocol.transport.drained()

    @override
    def protocol_disconnected(self, protocol: DaphneRequest) -> None:
        """The connection ended, or the request was answered."""
        details = self.connections.get(protocol)
        if details is None or "disconnected" in details:
            return
        details["disconnected"] = True
        protocol.transport.answered()
        if "application_instance" in details:
            self.shared.applications.end_later(details["application_instance"])
        else:
            self.request_over(protocol)

    def request_over(self, protocol: DaphneRequest) -> None:
        del self.connections[protocol]
        self.shared.emptied.set()

    @override
    def kill_all_applications(self) -> None:
        """daphne's fails for a request without an application; see `drain`."""

    @override
    def application_checker(self) -> None:
        """daphne's scan for ended applications: see application_done."""

    @override
    def timeout_checker(self) -> None:
        """daphne's scan for timeouts: see Deadlines."""
