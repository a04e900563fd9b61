"""The ASGI server of TMS: sockets on asyncio, pages on daphne."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections import Counter
from time import monotonic
from typing import Any, cast, override

from twisted.logger import LogLevel, STDLibLogObserver, globalLogPublisher

from tms.protocol.close_codes import CloseCode
from tms.server.acceptor import Acceptor
from tms.server.applications import Applications
from tms.server.asgi import Application
from tms.server.drain import DrainCode, Hook, bounded, called, close_all
from tms.server.flow import Counters, Flow
from tms.server.http_connection import HttpConnection
from tms.server.memory import tune_gc
from tms.server.network import Shared, abort
from tms.server.pages import Pages
from tms.server.timer_wheel import SLOTS_PER_SECOND
from tms.server.websocket.socket import WebSocket

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)

SLACK_S = 1.5
"""A close timeout may be noticed a second late."""


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
        drain_code: DrainCode | None = None,
    ) -> None:
        self.flow = flow or Flow()
        self.on_ready, self.on_drain, self.on_stop = on_ready, on_drain, on_stop
        self.drain_code = drain_code or (lambda scope: CloseCode.DRAINING)
        self.counters: Counters = Counter()
        self.acceptor = Acceptor(
            host, port, self.flow, self.counters, lambda peer: HttpConnection(self.shared, self, peer)
        )
        super().__init__(Shared(self.acceptor, Applications(application, self.flow)), prepare=self.prepare)
        self.draining = False
        self.is_ready = False
        self.failure: BaseException | None = None

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
        return [socket for socket in self.shared.sockets if isinstance(socket, WebSocket)]  # all are; for the type

    # Starting

    def prepare(self) -> None:
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
        self.shared.wheel.turn(now)
        for late in self.deadlines.overdue(now):
            late.drop("request_timeout")
        for connection in self.shared.backlogs.stuck(now):
            connection.drop("slow_time")

    # Ending

    def on_signal(self) -> None:
        if self.draining:
            os._exit(1)  # the second signal: do not wait
        self.draining = True
        self.starting.cancel()
        self.drained = self.loop.create_task(self.end())

    async def end(self) -> None:
        try:
            await self.drain()
        finally:
            for connection in self.deadlines.connections():
                abort(connection.transport)  # idle ones, of pages
            self.stop()

    async def drain(self) -> None:
        """End the process: no new connections, the application's goodbyes, then sockets are closed one by one,
        applications end.

        daphne cancels all applications at once instead, and clients see 1006.
        """
        try:
            self.acceptor.shut()
            if self.is_ready:
                await bounded(self.flow.hook_timeout, self.on_drain, self)
            await close_all(self.sockets(), self.drain_code, spread=self.flow.drain_spread)
            with contextlib.suppress(TimeoutError):  # the peers' close frames, and requests in progress
                await asyncio.wait_for(self.idle(), self.flow.close_timeout + SLACK_S)
        finally:
            # Nobody who has not answered by now may keep the process from ending.
            for socket in self.sockets():
                socket.drop("drain_aborted")
            await self.shared.applications.end_all()
            await bounded(self.flow.hook_timeout, self.on_stop)
            log.info("drained: %s", dict(self.counters))

    async def idle(self) -> None:
        """Wait until no request, no socket and no application is left; no new ones are admitted."""
        while self.connections or self.shared.sockets or self.shared.applications.running:
            self.shared.emptied.clear()
            await self.shared.emptied.wait()


def show_errors() -> None:
    """daphne silences Twisted's log; errors in Twisted's callbacks must still be logged."""
    to_log = STDLibLogObserver(__name__)

    def show(event: dict[str, Any]) -> None:
        if event["log_level"] >= LogLevel.error:
            to_log(event)

    globalLogPublisher.addObserver(cast(Any, show))  # zope's interfaces are not types
