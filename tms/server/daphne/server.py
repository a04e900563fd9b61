from __future__ import annotations

from tms.server.daphne import reactor  # isort: skip  (first: it installs the reactor)

import asyncio
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from twisted.logger import LogLevel, STDLibLogObserver, globalLogPublisher

from tms.protocol.close_codes import CloseCode
from tms.server.base.acceptor import Acceptor
from tms.server.base.asgi import Application, Scope
from tms.server.base.counters import Counters
from tms.server.base.drain import called, drain
from tms.server.base.flow import Flow
from tms.server.base.interface import Hook
from tms.server.base.memory import tune_gc
from tms.server.base.timer_wheel import SLOTS_PER_SECOND, Wheel
from tms.server.daphne.applications import Applications
from tms.server.daphne.first_request import FirstRequests
from tms.server.daphne.port import FlowPort
from tms.server.daphne.protocol import FlowProtocol
from tms.server.daphne.transport import FlowTransport

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class FlowServer(Applications):
    """The `Server` on daphne."""

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
        self.reactor = reactor.installed()
        self.counters: Counters = Counter()
        self.acceptor = Acceptor(host, port, self.flow, self.counters, self.new_listener)
        self.wheel: Wheel[FlowProtocol] = Wheel(self.reactor.seconds())
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
            websocket_handshake_timeout=0,  # autobahn's; see FlowProtocol.due
            websocket_max_message_size=self.flow.hard_message,
            websocket_max_frame_size=self.flow.hard_message,
            ping_timeout=0,  # the same
        )
        self.endpoints: list[str] = []  # daphne must not listen: the acceptor does

    def run(self) -> None:
        try:
            super().run()
        finally:
            for number in SIGNALS:
                self.reactor.loop.remove_signal_handler(number)
        if self.failure:
            raise self.failure

    @property
    def address(self) -> tuple[str, int]:
        return self.acceptor.host, self.acceptor.port

    def sockets(self) -> list[FlowProtocol]:
        return [
            protocol
            for protocol in self.connections
            if isinstance(protocol, FlowProtocol) and protocol.state != protocol.STATE_CLOSED
        ]

    # Starting

    def prepare(self) -> None:
        """daphne has created its factories, and the loop does not run yet."""
        # failByDrop=False: a close frame (1002, 1007, 1009) instead of a bare end of the connection
        self.ws_factory.setProtocolOptions(
            allowNullOrigin=True, failByDrop=False, closeHandshakeTimeout=self.flow.close_timeout
        )
        self.http_factory.timeOut = None  # Twisted's restarts with each byte: see Deadlines
        self.ws_factory.protocol = FlowProtocol.configured(self.ws_factory)
        self.acceptor.listen()
        show_errors()
        for number in SIGNALS:
            self.reactor.loop.add_signal_handler(number, self.on_signal)
        self.starting = self.reactor.loop.create_task(self.start())
        self.starting.add_done_callback(self.started)

    def new_listener(self, acceptor: Acceptor) -> FlowPort:
        listener = FlowPort(acceptor, FirstRequests(self.http_factory, self.ws_factory), self.reactor)
        listener.startListening()
        return listener

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
        self.reactor.loop.call_later(1 / SLOTS_PER_SECOND, self.tick)
        now = self.reactor.seconds()
        for protocol in self.wheel.turn(now):
            self.check_timeouts(protocol, now)
        for transport in self.acceptor.deadlines.overdue(now):
            self.counters["request_timeout"] += 1
            cast(FlowTransport, transport).abortConnection()
        for transport in self.reactor.getWriters():
            if isinstance(transport, FlowTransport):
                self.drop_if_stuck(transport, now)

    def check_timeouts(self, protocol: FlowProtocol, now: float) -> None:
        try:
            when = protocol.due(now)
        except Exception:  # the others in its slot must not lose their timers
            log.exception("the timer of %s failed", protocol)
        else:
            if when is not None:
                self.wheel.watch(protocol, when)

    def drop_if_stuck(self, transport: FlowTransport, now: float) -> None:
        if transport.blocked_since is None or now - transport.blocked_since < self.flow.max_blocked:
            return
        if isinstance(transport.protocol, FlowProtocol):
            transport.protocol.drop("slow_time")
        else:
            self.counters["slow_time"] += 1
            transport.abortConnection()

    # Ending

    def on_signal(self) -> None:
        if self.draining:
            os._exit(1)  # the second signal: do not wait
        self.draining = True
        self.starting.cancel()
        self.drained = self.reactor.loop.create_task(self.drain())

    async def drain(self) -> None:
        try:
            await drain(self)
        finally:
            self.stop()


def show_errors() -> None:
    """daphne silences Twisted's log; errors in Twisted's callbacks must still be logged."""
    to_log = STDLibLogObserver(__name__)

    def show(event: dict[str, Any]) -> None:
        if event["log_level"] >= LogLevel.error:
            to_log(event)

    globalLogPublisher.addObserver(cast(Any, show))  # zope's interfaces are not types
