from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
from collections import Counter
from collections.abc import Callable, Generator
from time import monotonic
from typing import Any, cast

import uvicorn

from tms.protocol.close_codes import CloseCode
from tms.server.base.acceptor import Acceptor
from tms.server.base.asgi import Application, Receive, Scope, Send
from tms.server.base.counters import Counters
from tms.server.base.drain import called, drain
from tms.server.base.flow import Flow
from tms.server.base.interface import Hook
from tms.server.base.memory import tune_gc
from tms.server.base.timer_wheel import SLOTS_PER_SECOND, Wheel
from tms.server.uvicorn.backlogs import Backlogs
from tms.server.uvicorn.http import FlowHttp
from tms.server.uvicorn.listener import FlowListener
from tms.server.uvicorn.output import abort
from tms.server.uvicorn.socket import FlowSocket
from tms.server.uvicorn.state import FlowState

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class UvicornServer(uvicorn.Server):
    """The `Server` on uvicorn."""

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
        self.application = application
        self.flow = flow or Flow()
        self.on_ready, self.on_drain, self.on_stop = on_ready, on_drain, on_stop
        self.drain_code = drain_code or (lambda scope: CloseCode.DRAINING)
        self.counters: Counters = Counter()
        self.acceptor = Acceptor(host, port, self.flow, self.counters, self.new_listener)
        self.wheel: Wheel[FlowSocket] = Wheel(monotonic())
        self.backlogs = Backlogs(self.flow.max_blocked)
        self.sockets_inside: dict[FlowSocket, None] = {}
        """WebSockets whose connection or application has not ended, oldest first."""
        self.requests: set[asyncio.Task[Any]] = set()
        """HTTP requests in progress."""
        self.emptied = asyncio.Event()
        self.draining = False
        self.is_ready = False
        super().__init__(configured(self.answer, keep_alive=self.flow.keep_alive))
        self.server_state: FlowState = FlowState(self)

    def run(self, sockets: None = None) -> None:  # type: ignore[override]  # the acceptor has the only one
        self.acceptor.listen()
        super().run()

    @property
    def address(self) -> tuple[str, int]:
        return self.acceptor.host, self.acceptor.port

    def sockets(self) -> list[FlowSocket]:
        return [socket for socket in self.sockets_inside if not socket.is_lost]

    @property
    def connections(self) -> list[object]:
        """WebSockets and requests that have not ended."""
        return [*self.sockets_inside, *self.requests]

    def new_listener(self, acceptor: Acceptor) -> FlowListener:
        return FlowListener(acceptor, self.new_protocol)

    def new_protocol(self) -> FlowHttp:
        return FlowHttp(config=self.config, server_state=self.server_state, app_state={})

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An HTTP request; WebSockets run the application themselves."""
        task = asyncio.current_task()
        assert task is not None
        self.requests.add(task)
        try:
            await self.application(scope, receive, send)
        finally:
            task.add_done_callback(self.answered)

    def answered(self, task: asyncio.Task[Any]) -> None:
        self.requests.discard(task)
        self.emptied.set()

    def end_later(self, task: asyncio.Task[None]) -> None:
        """Its connection ended; give the application time to end too."""
        timer = self.loop.call_later(self.flow.linger, cancel, task)
        task.add_done_callback(lambda _: timer.cancel())

    def discard(self, socket: FlowSocket) -> None:
        self.sockets_inside.pop(socket, None)
        self.emptied.set()

    # Starting

    async def startup(self, sockets: None = None) -> None:  # type: ignore[override]
        self.loop = asyncio.get_running_loop()
        self.starting = asyncio.create_task(self.start())
        await asyncio.wait([self.starting])
        self.started = True
        if not self.starting.cancelled():
            self.starting.result()

    async def start(self) -> None:
        if self.on_ready:
            await called(self.on_ready)
        tune_gc(self.flow)
        self.tick()
        self.is_ready = True
        self.acceptor.open()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """uvicorn raises the signal again at the end, and exits with it; here a completed drain is a success."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.on_signal)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    # Time

    def tick(self) -> None:
        self.loop.call_later(1 / SLOTS_PER_SECOND, self.tick)
        now = monotonic()
        for socket in self.wheel.turn(now):
            self.check_timeouts(socket, now)
        for connecting in [socket for socket in self.acceptor.handshaking if isinstance(socket, FlowSocket)]:
            connecting.give_up(now)
        for late in self.acceptor.deadlines.overdue(now):
            cast(FlowHttp, late).drop("request_timeout")
        for connection in self.backlogs.stuck(now):
            connection.drop("slow_time")

    def check_timeouts(self, socket: FlowSocket, now: float) -> None:
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
        self.draining = self.should_exit = True
        self.starting.cancel()

    async def shutdown(self, sockets: None = None) -> None:  # type: ignore[override]
        try:
            await drain(self)
        finally:
            for connection in list(self.server_state.connections):  # idle ones, of pages
                abort(connection.transport)

    async def idle(self) -> None:
        while self.connections:
            self.emptied.clear()
            await self.emptied.wait()

    async def end_applications(self) -> None:
        running = [*self.requests, *(socket.task for socket in self.sockets_inside if socket.task is not None)]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=self.flow.exit_timeout)


def cancel(task: asyncio.Task[None]) -> None:
    log.warning("an application did not end after its connection and was cancelled")
    task.cancel()


def configured(application: Callable[[Scope, Receive, Send], Any], *, keep_alive: float) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=FlowHttp,
        ws=FlowSocket,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,  # tms.ops.middleware.trusted_proxy decides which proxies to trust
        server_header=False,
        timeout_keep_alive=math.ceil(keep_alive),
    )
