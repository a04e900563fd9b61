"""The ASGI server of TMS: sockets on asyncio, pages on daphne."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Any, cast, override

from twisted.logger import LogLevel, STDLibLogObserver, globalLogPublisher

from tms.protocol.close_codes import CloseCode
from tms.server.acceptor import Acceptor
from tms.server.applications import Applications
from tms.server.asgi import Application, Scope
from tms.server.backlogs import Backlogs
from tms.server.counters import Counters
from tms.server.drain import Hook, called, drain
from tms.server.flow import Flow
from tms.server.http_connection import HttpConnection
from tms.server.memory import tune_gc
from tms.server.network import READ_BYTES, abort
from tms.server.pages import Pages
from tms.server.timer_wheel import SLOTS_PER_SECOND, Wheel
from tms.server.websocket.socket import WebSocket

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Server(Pages):
    """Serves an ASGI application over HTTP and WebSocket, within the limits of a Flow.

    `on_ready` runs in the loop before the first connection is accepted; `on_drain` (with this server) when a signal
    ends the process, before any socket is closed; `on_stop` when all connections and applications have ended. Each is a
    plain or an async callable. `drain_code` chooses the close code of a socket from its scope (4503 without it).

    For monitoring: `counters`, `draining`, `sockets()`, and `acceptor.inside` compared with `acceptor.capacity`.
    """

    def __init__(
        self,
        application: Application,
        *,
        host: str,
        port: int,
        flow: Flow | None = None,
        on_ready: Hook | None = None,
        on_drain: Hook | None = None,
        on_stop: Hook | None = None,
        drain_code: Callable[[Scope], int] | None = None,
    ) -> None:
        self.flow = flow or Flow()
        self.on_ready, self.on_drain, self.on_stop = on_ready, on_drain, on_stop
        self.drain_code = drain_code or (lambda scope: CloseCode.DRAINING)
        self.counters: Counters = Counter()
        self.applications = Applications(application, self.flow)
        self.acceptor = Acceptor(host, port, self.flow, self.counters, lambda peer: HttpConnection(self, peer))
        self.wheel: Wheel[WebSocket] = Wheel(monotonic())
        self.backlogs = Backlogs(self.flow.max_blocked)
        self.read_buffer = memoryview(bytearray(READ_BYTES))
        """The buffer of all connections: what is read into it is taken before the next one is read."""
        self.sockets_inside: dict[WebSocket, None] = {}
        """Open WebSockets, including handshakes in progress, oldest first."""
        self.emptied = asyncio.Event()
        self.draining = False
        self.is_ready = False
        self.failure: BaseException | None = None
        super().__init__(
            application,
            endpoints=["none"],  # daphne requires one
            signal_handlers=False,
            ready_callable=self.prepare,
            server_name="",
            verbosity=0,
        )
        self.endpoints: list[str] = []  # daphne must not listen: the acceptor does

    @override
    def run(self) -> None:
        """Serve until a signal, then drain.

        Raises PortInUse or CannotListen before anything was started, and any exception of `on_ready`.
        """
        try:
            super().run()
        finally:
            for number in SIGNALS:
                self.loop.remove_signal_handler(number)
        if self.failure:
            raise self.failure

    @property
    def address(self) -> tuple[str, int]:
        return self.acceptor.host, self.acceptor.port

    def sockets(self) -> list[WebSocket]:
        """Open WebSockets, including handshakes in progress."""
        return list(self.sockets_inside)

    def discard(self, socket: WebSocket) -> None:
        """Its connection has ended."""
        del self.sockets_inside[socket]
        self.emptied.set()

    # Starting

    def prepare(self) -> None:
        """daphne has set the event loop, which does not run yet."""
        self.loop = asyncio.get_event_loop()
        self.acceptor.listen()
        show_errors()
        for number in SIGNALS:
            self.loop.add_signal_handler(number, self.on_signal)
        self.starting = self.loop.create_task(self.start())
        self.starting.add_done_callback(self.started)

    async def start(self) -> None:
        if self.on_ready:
            await called(self.on_ready)
        tune_gc(self.flow)
        self.tick()
        self.is_ready = True
        self.acceptor.open()

    def started(self, starting: asyncio.Task[None]) -> None:
        if not starting.cancelled() and (error := starting.exception()):
            self.failure = error
            if not self.draining:  # the drain stops it too
                self.stop()

    # Time

    def tick(self) -> None:
        self.loop.call_later(1 / SLOTS_PER_SECOND, self.tick)
        now = monotonic()
        for socket in self.wheel.turn(now):
            self.check_timeouts(socket, now)
        for late in self.acceptor.deadlines.overdue(now):
            late.drop("request_timeout")
        for connection in self.backlogs.stuck(now):
            connection.drop("slow_time")

    def check_timeouts(self, socket: WebSocket, now: float) -> None:
        try:
            when = socket.due(now)
        except Exception:  # the others in its slot must not lose their timers
            log.exception("the timer of %s failed", socket)
        else:
            if when is not None:
                self.wheel.watch(socket, when)

    # Ending

    def on_signal(self) -> None:
        if self.draining:
            os._exit(1)  # the second signal: do not wait
        self.draining = True
        self.starting.cancel()
        self.drained = self.loop.create_task(self.drain())

    async def drain(self) -> None:
        try:
            await drain(self)
        finally:
            for connection in self.acceptor.deadlines.connections():
                abort(connection.transport)  # idle ones, of pages
            self.stop()

    async def idle(self) -> None:
        """Wait until no request, no socket and no application is left; no new ones are admitted."""
        while self.connections or self.sockets_inside or self.applications.running:
            self.emptied.clear()
            await self.emptied.wait()


def show_errors() -> None:
    """daphne silences Twisted's log; errors in Twisted's callbacks must still be logged."""
    to_log = STDLibLogObserver(__name__)

    def show(event: dict[str, Any]) -> None:
        if event["log_level"] >= LogLevel.error:
            to_log(event)

    globalLogPublisher.addObserver(cast(Any, show))  # zope's interfaces are not types
