"""One application (an ASGI task) for each connection, from its scope to its end."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, TypedDict

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet.defer import Deferred

from tms.server.base.acceptor import Acceptor
from tms.server.base.asgi import ASGI, EXTENSIONS, Message, Scope
from tms.server.base.counters import Counters
from tms.server.base.flow import Flow
from tms.server.daphne.protocol import FlowProtocol
from tms.server.daphne.reactor import FlowReactor
from tms.server.websocket.mailbox import Mailbox

log = logging.getLogger(__name__)


class Details(TypedDict, total=False):
    """State of each connection; daphne reads the first two."""

    application_instance: asyncio.Task[None]
    disconnected: float
    cancelling: asyncio.TimerHandle


class Applications(Server):
    """Replaces daphne's running of applications.

    daphne scans all connections each second for ended ones, and every two seconds for timeouts; here the end of a task
    is a callback, and timeouts use a timer wheel.
    """

    flow: Flow
    acceptor: Acceptor
    counters: Counters
    reactor: FlowReactor
    connections: dict[FlowProtocol | WebRequest, Details]
    emptied: asyncio.Event | None = None

    # Starting

    def protocol_connected(self, protocol: FlowProtocol | WebRequest) -> None:
        self.connections[protocol] = {}
        if isinstance(protocol, WebRequest):
            self.acceptor.deadlines.began(protocol.transport, self.reactor.seconds())

    def create_application(self, protocol: Any, scope: Scope) -> Mailbox[Message] | None:
        """Start the application; the queue receives its messages. None if the client has disconnected."""
        if protocol not in self.connections:
            return None
        queue = Mailbox[Message]()
        scope.setdefault("asgi", ASGI)
        scope["root_path"] = self.root_path  # daphne lets any client set it by a header
        receive = queue.get
        if isinstance(protocol, WebRequest):
            self.acceptor.deadlines.complete(protocol.transport)
        if isinstance(protocol, FlowProtocol):
            self.acceptor.deadlines.discard(protocol.transport)
            scope["extensions"] = EXTENSIONS
            scope["tms.connection"] = protocol
            protocol.scope = scope
            receive = protocol.receive
        send = partial(self.handle_reply, protocol)
        task = self.reactor.loop.create_task(self.application(scope, receive, send))
        self.connections[protocol]["application_instance"] = task
        task.add_done_callback(partial(self.application_done, protocol))
        return queue

    # Running

    async def handle_reply(self, protocol: FlowProtocol | WebRequest, message: Message) -> None:
        """An application's send(): returns when the socket's buffer has room again."""
        if not isinstance(protocol, FlowProtocol):
            await super().handle_reply(protocol, message)
            return
        details = self.connections.get(protocol)
        if details is None or "disconnected" in details:
            return
        protocol.handle_reply(message)
        if protocol.writable is not None:
            self.counters["send_waited"] += 1
            await asyncio.shield(protocol.writable)  # other senders wait for it too when this one is cancelled

    # Ending

    def application_done(self, protocol: FlowProtocol | WebRequest, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error:
            log.error("Exception inside application: %s", error, exc_info=error)
        details = self.connections.get(protocol)
        if details is None:
            return
        details.pop("application_instance", None)
        if "cancelling" in details:
            details.pop("cancelling").cancel()
        if "disconnected" in details:
            self.discard(protocol)
        elif isinstance(protocol, FlowProtocol):
            protocol.application_ended()  # daphne leaves the socket open while its queue grows
        elif error:
            fail(protocol, error)

    def protocol_disconnected(self, protocol: FlowProtocol | WebRequest) -> None:
        """The connection ended, the request was answered, or it became a WebSocket."""
        details = self.connections.get(protocol)
        if details is None or "disconnected" in details:
            return
        details["disconnected"] = now = self.reactor.seconds()
        if isinstance(protocol, WebRequest) and protocol.transport is None:  # upgraded
            self.reactor.loop.call_soon(break_cycle, protocol)
        elif isinstance(protocol, WebRequest):
            self.acceptor.deadlines.answered(protocol.transport, now)
        task = details.get("application_instance")
        if task is None or task.done():
            self.discard(protocol)
        else:
            details["cancelling"] = self.reactor.loop.call_later(self.flow.linger, cancel, task)

    def discard(self, protocol: FlowProtocol | WebRequest) -> None:
        del self.connections[protocol]
        if self.emptied and not self.connections:
            self.emptied.set()

    async def idle(self) -> None:
        self.emptied = asyncio.Event()
        if self.connections:
            await self.emptied.wait()

    async def end_applications(self) -> None:
        running = [details["application_instance"] for details in self.connections.values() if is_running(details)]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=self.flow.exit_timeout)

    def kill_all_applications(self) -> Deferred[None]:
        """Before the reactor stops. daphne's fails for a connection without an application, and never returns."""
        return Deferred.fromFuture(self.reactor.loop.create_task(self.end_applications()))

    def application_checker(self) -> None:
        """daphne's scan for ended applications: see application_done."""

    def timeout_checker(self) -> None:
        """daphne's scan for timeouts: see FlowProtocol.due."""


def is_running(details: Details) -> bool:
    return "application_instance" in details and not details["application_instance"].done()


def cancel(task: asyncio.Task[None]) -> None:
    log.warning("an application did not end after its connection and was cancelled")
    task.cancel()


def fail(request: WebRequest, error: BaseException) -> None:
    try:
        request.handle_exception(error)
    except ValueError:  # the response had begun: only its missing end shows the client the error
        request.loseConnection()


def break_cycle(request: WebRequest) -> None:
    """Break the cycle of the HTTP channel and its request (4 KiB) after the upgrade, which daphne keeps as long as the
    socket. They are freed now instead of at a full garbage collection.
    """
    vars(request.channel).clear()
    vars(request).clear()
