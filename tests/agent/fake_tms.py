"""A scripted TMS: a real WebSocket server whose responses come from a test."""

import asyncio
import ssl
from collections import deque
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Self

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.support.polling import DEADLINE_S
from tms.protocol import SUBPROTOCOL, downlink, frames, uplink
from tms.protocol.errors import FrameError


class FakeTMS:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.refusals: deque[Response] = deque()
        self.requests: list[Request] = []
        self.files: dict[str, bytes] = {}
        """What can be downloaded, by path."""
        self._links: asyncio.Queue[FakeLink] = asyncio.Queue()
        self._exits = AsyncExitStack()
        self.url = ""

    async def __aenter__(self) -> Self:
        server = await self._exits.enter_async_context(
            serve(
                self._serve,
                "127.0.0.1",
                0,
                process_request=self._answer_upgrade,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                ping_interval=None,
                close_timeout=1,
                ssl=self._tls,
            )
        )
        base = "wss://localhost" if self._tls else "ws://127.0.0.1"
        self.url = f"{base}:{server.sockets[0].getsockname()[1]}/ws/terminal/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    def refuse(self, status: int, *, problem: str = "", body: bytes = b"", **headers: str) -> None:
        """Answer the next handshake with `status`: like TMS with a `problem`, like a proxy without."""
        given = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        if problem:
            body = msgspec.json.encode({"type": problem, "detail": "as TMS says it"})
            given["Content-Type"] = "application/problem+json"
        given["Content-Length"] = str(len(body))
        self.refusals.append(Response(status, HTTPStatus(status).phrase, given, body))

    def reject_credential(self, **headers: str) -> None:
        self.refuse(401, problem="tms:unauthorised", **headers)

    async def link(self) -> "FakeLink":
        """The next terminal that connects."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._links.get()

    async def booted(self, **answer: Any) -> "FakeLink":
        """The next terminal that connects, after its boot was answered."""
        link = await self.link()
        await link.answer_boot(**answer)
        return link

    @property
    def has_new_link(self) -> bool:
        return not self._links.empty()

    def _answer_upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if body := self.files.get(request.path):
            return Response(200, "OK", Headers({"Content-Length": str(len(body))}), body)
        return self.refusals.popleft() if self.refusals else None

    async def _serve(self, connection: ServerConnection) -> None:
        await self._links.put(FakeLink(connection))
        await connection.wait_closed()


class FakeLink:
    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.boot: uplink.BootCall | None = None
        self._waiting: deque[uplink.Uplink] = deque()

    async def answer_boot(
        self,
        *,
        acked_seq: int = 0,
        heartbeat_s: float = 3600,
        server_time: datetime | None = None,
        limits: frames.Limits | None = None,
        accepts_undated: bool = True,
        features: tuple[str, ...] = (),
    ) -> None:
        """A heartbeat of an hour, so that reports are sent only by a test."""
        self.boot = await self.expect(uplink.BootCall)
        at = server_time or datetime.now(UTC)
        booted = frames.BootResult(
            7,
            heartbeat_s,
            at,
            acked_seq,
            limits=limits or frames.Limits(),
            accepts_undated=accepts_undated,
            features=features,
        )
        await self.send(downlink.BootAnswer(self.boot.id, booted))

    @property
    def booted(self) -> frames.BootFrame:
        assert self.boot
        return self.boot.params

    async def expect[Kind: uplink.Uplink](self, kind: type[Kind]) -> Kind:
        """The next frame, which must be of this kind."""
        frame = await self.receive()
        assert isinstance(frame, kind), frame
        return frame

    async def report(self) -> frames.ReportFrame:
        return (await self.expect(uplink.ReportCall)).params

    async def reports(self, number: int) -> list[frames.ReportFrame]:
        return [await self.report() for _ in range(number)]

    async def receive(self) -> uplink.Uplink:
        while not self._waiting:
            for frame in uplink.decode(await self.receive_message()):
                assert not isinstance(frame, FrameError), (frame.message, frame.where)
                self._waiting.append(frame)
        return self._waiting.popleft()

    async def receive_message(self) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await self.connection.recv(decode=False)

    async def send(self, frame: downlink.Downlink) -> None:
        await self.connection.send(downlink.encode(frame))

    async def ack(self, seq: int, boot_id: str | None = None) -> None:
        await self.connection.send(downlink.ack(seq, boot_id) if boot_id else downlink.ack(seq))

    async def answered(self, request_id: str) -> None:
        await self.connection.send(downlink.answered(request_id))

    async def start_command(self, name: str, *, request_id: str = "c1", within_s: float = 30, **args: Any) -> None:
        deadline = datetime.now(UTC) + timedelta(seconds=within_s)
        await self.send(downlink.CommandCall(request_id, frames.CommandFrame(name, args, deadline)))

    async def command(
        self, name: str, *, within_s: float = 30, request_id: str = "c1", **args: Any
    ) -> uplink.CommandAnswer:
        """Send a command and return its answer."""
        await self.start_command(name, request_id=request_id, within_s=within_s, **args)
        return await self.expect(uplink.CommandAnswer)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self.connection.close(code, reason)

    async def closed(self) -> int | None:
        """The code with which the terminal closed."""
        async with asyncio.timeout(DEADLINE_S):
            await self.connection.wait_closed()
        return self.connection.close_code

    def cut(self) -> None:
        self.connection.transport.abort()
