"""One client under test: its process, if the kit starts it, its handshakes and its links."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tms_agent.conformance.check import Failed
from tms_agent.conformance.link import Link
from tms_agent.conformance.tus import Connection, Upload
from tms_agent.conformance.watch import SUBPROTOCOL, Watch
from tms_agent.timeouts import timeout

LINK_PATH = "/ws/terminal/"
ABSENCE_S = 3.0
"""A client that waits for minutes does not come back within these seconds; one that waits as usual mostly does."""
TIMER_S = 0.05
"""A timer may be early by so much."""
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

SILENT = logging.getLogger(__name__)
"""The server would log each link that ends as a check wants it."""
SILENT.disabled = True

Value = TypeVar("Value")


class Client(Protocol):
    """A started client."""

    ended: asyncio.Future[str]
    """How it ended."""

    def stop(self) -> None:
        """Ask it to end, as the service manager of a device does."""

    def kill(self) -> None: ...

    def log(self) -> str:
        """The last lines it wrote."""


Start = Callable[[str, str, Path], Awaitable[Client]]
"""Starts a client with a URL, a credential, and a folder for what it keeps."""
HandshakeAnswer = Callable[[ServerConnection], Awaitable["Response | None"]]


@dataclass(frozen=True)
class Attempt:
    """A handshake; `at` is by the clock of the event loop."""

    at: float
    request: Request


class Terminal:
    def __init__(self, *, host: str, folder: Path, start: Start | None, patience_s: float, watch: Watch) -> None:
        self.attempts: list[Attempt] = []
        self.acked: dict[str, int] = {}
        self.clock_ahead = timedelta()
        """How far the time that this TMS says is ahead of the right one."""
        self.speaks = SUBPROTOCOL
        self.links = 0
        self.patience_s = patience_s
        self.folder = folder
        self.watch = watch
        self.credential = watch.credential
        self.upload = Upload(self.credential)
        self.client: Client | None = None
        self.port = 0
        self._answers: deque[HandshakeAnswer] = deque()
        self._changed = asyncio.Event()
        self._exits = contextlib.AsyncExitStack()
        self.host = host
        self._link: Link | None = None
        self._new_links: asyncio.Queue[Link] = asyncio.Queue()
        self._start = start
        self.watch.knows_start = start is not None

    async def listen(self, port: int) -> None:
        server: Server = await self._exits.enter_async_context(
            serve(
                self._serve,
                self.host,
                port,
                process_request=self._answer_handshake,
                create_connection=self._connection,  # type: ignore[arg-type]  # any factory will do
                logger=SILENT,
                select_subprotocol=lambda _, offered: self._selected(offered),
                compression=None,
                ping_interval=None,
                open_timeout=None,
                close_timeout=2,
                max_size=MAX_MESSAGE_BYTES,
            )
        )
        self.port = next(iter(server.sockets)).getsockname()[1]

    def reset(self) -> None:
        """The next check begins with the same client."""
        while not self._new_links.empty():
            self._new_links.get_nowait().cut()
        if self._link:
            self._link.cut()
        self._answers.clear()
        self.speaks, self.clock_ahead = SUBPROTOCOL, timedelta()

    async def close(self) -> None:
        await self.kill()
        await self._exits.aclose()

    @property
    def secret(self) -> str:
        return self.credential.partition(".")[2]

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}{LINK_PATH}"

    # The process

    async def start(self) -> None:
        if self._start:
            self.client = await self._start(self.url, self.credential, self.folder)

    async def kill(self) -> None:
        client, self.client = self.client, None
        if client:
            client.kill()
            await client.ended

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    async def stopped(self) -> None:
        """Asks the client to end, and waits for it."""
        assert self.client
        client, self.client = self.client, None
        try:
            client.stop()
            await self.within(asyncio.shield(client.ended), "the client did not end")
        finally:
            client.kill()
            await client.ended

    def log(self) -> str:
        """The last lines of the client."""
        return self.client.log() if self.client else ""

    # Its links

    async def first(self) -> None:
        """Waits until somebody has started the client."""
        await self._attempt(0)

    async def link(self) -> Link:
        """The next one."""
        return await self.within(self._new_links.get(), "the client did not connect")

    async def booted(self, *, acks: bool = True, **answer: Any) -> Link:
        """The next link that boots, after its boot was answered."""
        link = await self.link()
        link.acks = acks
        await link.receive_boot()
        await link.answer_boot(**answer)
        return link

    async def attempt(self, number: int) -> Attempt:
        """The handshake of this number, from 0."""
        return await self.within(self._attempt(number), "the client did not come back")

    async def comes_back(self, **answer: Any) -> Link:
        """The next link that boots. One that ended before it was answered is passed over."""
        return await self.within(self._next_booted(answer), "the client did not come back")

    async def is_absent(self, seconds: float = ABSENCE_S) -> None:
        """Fails if the client connects within `seconds`."""
        number, since = len(self.attempts), asyncio.get_running_loop().time()
        with contextlib.suppress(TimeoutError):
            async with timeout(seconds):
                attempt = await self._attempt(number)
                raise Failed(f"it came back after {attempt.at - since:.1f} s")
        self.is_alive()

    def is_alive(self) -> None:
        if self.client and self.client.ended.done():
            raise Failed(f"the client ended: {self.client.ended.result()}")

    def refuse(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer the next handshake with `status`."""
        given = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        given["Content-Length"] = str(len(body))

        async def refuse(connection: ServerConnection) -> Response:
            return Response(status, HTTPStatus(status).phrase, given, body)

        self.answer_handshake(refuse)

    def answer_handshake(self, answer: HandshakeAnswer) -> None:
        self._answers.append(answer)

    async def within(self, given: Awaitable[Value], what: str) -> Value:
        """Fails with `what` if it takes too long, or if the client ends."""
        task = asyncio.ensure_future(given)
        tasks: set[asyncio.Future[Any]] = {task, *([self.client.ended] if self.client else [])}
        try:
            await asyncio.wait(tasks, timeout=self.patience_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            task.cancel()
        self.is_alive()
        raise Failed(f"{what} within {self.patience_s:g} s")

    async def _next_booted(self, answer: dict[str, Any]) -> Link:
        while True:
            link = await self._new_links.get()
            try:
                await link.receive_boot()
                await link.answer_boot(**answer)
            except Failed:
                if link.connection.close_code is None:
                    raise
            else:
                return link

    async def _attempt(self, number: int) -> Attempt:
        while len(self.attempts) <= number:
            self._changed.clear()
            await self._changed.wait()
        return self.attempts[number]

    async def _answer_handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        self.attempts.append(Attempt(asyncio.get_running_loop().time(), request))
        self._changed.set()
        self.watch.handshake(request)
        return await self._answers.popleft()(connection) if self._answers else None

    def _connection(self, *given: Any, **options: Any) -> Connection:
        connection = Connection(*given, **options)
        connection.upload = self.upload
        return connection

    def _selected(self, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((one for one in offered if self.speaks == one), None)

    async def _serve(self, connection: ServerConnection) -> None:
        self.links += 1
        self._link = link = Link(self, connection, self.watch)
        self._new_links.put_nowait(link)
        await link.read()
