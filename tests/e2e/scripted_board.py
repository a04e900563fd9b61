"""A board whose frames are sent by a test: the contract between server and browser, without the server."""

import asyncio
import contextlib
import itertools
import json
import mimetypes
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.csp import build_policy
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tms.config.settings import SECURE_CSP

ROOT = Path(__file__).parents[2]
SERVED = {"static": ROOT / "build/static", "sources": ROOT / "static"}
"""Directories by the first part of a path: what browsers get, and its modules one by one."""
OMITTED = object()
"""Instead of a value of the proof: the frame omits it."""
PAGE = Path(__file__).with_name("board.html")
HEADERS = {"Content-Security-Policy": build_policy(SECURE_CSP), "Cache-Control": "no-store"}


class ScriptedBoard:
    """Serves one page and its socket. `rows` are the rows of the page's list when it is loaded."""

    def __init__(self) -> None:
        self.url = ""
        self.rows: Sequence[str] = [row(n) for n in range(1, 6)]
        self.extra = ""
        self.steady = ""
        """The attribute of a list that moves rarely, like that of alerts."""
        self.language = "en"
        self.answers: dict[str, Any] = {}
        """Responses by path: HTML as text, anything else as JSON."""
        self.refusing = False
        self.sockets: asyncio.Queue[Socket] = asyncio.Queue()

    @classmethod
    @contextlib.asynccontextmanager
    async def serve(cls) -> AsyncIterator["ScriptedBoard"]:
        board = cls()
        async with serve(board._socket, "127.0.0.1", 0, process_request=board._page, compression=None) as server:
            board.url = f"http://127.0.0.1:{_port(server)}/"
            yield board

    async def connected(self) -> "Socket":
        """The next socket that a browser opens, without a first frame."""
        return await asyncio.wait_for(self.sockets.get(), 20)

    async def painted(self) -> "Socket":
        socket = await self.connected()
        await socket.repaint()
        return socket

    async def _socket(self, connection: ServerConnection) -> None:
        socket = Socket(connection)
        self.sockets.put_nowait(socket)
        await socket.listen()

    def _page(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/ws/board/":
            return connection.respond(503, "") if self.refusing else None
        folder, _, name = path[1:].partition("/")
        if folder in SERVED:
            return _answer(SERVED[folder] / name)
        if path in self.answers:
            return _respond(self.answers[path])
        html = PAGE.read_text()
        for name, value in {
            "rows": "\n".join(self.rows),
            "extra": self.extra,
            "language": self.language,
            "steady": self.steady,
        }.items():
            html = html.replace(f"{{{name}}}", value)
        return _respond(html)


class Socket:
    """The server's end of one browser's socket."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.numbers = itertools.count(1)
        self.requests: asyncio.Queue[Any] = asyncio.Queue()
        assert connection.request is not None
        self.path = connection.request.path

    async def listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self.connection:
                ask = json.loads(message)
                if ask["ask"] == "repaint":  # not a viewing message
                    self.requests.put_nowait(ask)

    async def push(
        self,
        html: str = "",
        *,
        kind: str = "patch",
        of: str = "terminals",
        ids: Iterable[int] | None = None,
        gone: Iterable[int] = (),
        put: Iterable[tuple[int, int | None]] = (),
        skip: int = 0,
        **proof: Any,
    ) -> None:
        """Send a frame; `ids` are the rows of list `of`, `skip` loses that many frames before it.

        `gone` and `put` are changes to the rows of the previous frame.
        """
        for _ in range(skip):
            next(self.numbers)
        frame = {"number": next(self.numbers), "kind": kind, "html": html, "proof": proof_of(**proof)}
        if ids is not None:
            frame["list"] = {"of": of, "ids": [f"terminal-{n}" for n in ids]}
        if gone or put:
            positions = [(f"terminal-{n}", f"terminal-{after}" if after else "") for n, after in put]
            frame["list"] = {"of": of, "gone": [f"terminal-{n}" for n in gone], "put": positions}
        await self.connection.send(json.dumps(frame))

    async def repaint(self, html: str = "", **rest: Any) -> None:
        await self.push(html, kind="repaint", **rest)

    async def next_request(self) -> Any:
        """The next request of the browser."""
        return await asyncio.wait_for(self.requests.get(), 20)

    async def close(self, code: int = 1000) -> None:
        await self.connection.close(code)

    def cut(self) -> None:
        """Abort the connection without a close frame."""
        self.connection.transport.abort()


def proof_of(**facts: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    usual = {"at": now, "newest_at": now, "behind_s": 0.0, "gaps": 0, "database": {"state": "equal", "at": now}}
    return {name: fact for name, fact in (usual | facts).items() if fact is not OMITTED}


def row(
    n: int, state: str = "online", *, reading: int = 40, seen: str = "2026-01-05T03:00:00Z", incident: bool = False
) -> str:
    return (
        f'<tr id="terminal-{n}" data-row {"data-incident" if incident else ""} data-presence="{state}">'
        f'<td><input type="checkbox" name="terminal" value="{n}" aria-label="Select T-{n}"></td>'
        f'<th scope="row"><a href="/terminals/T-{n}/">T-{n}</a></th>'
        f'<td class="state">{state}</td><td class="number">{reading}</td>'
        f'<td><input type="text" name="note-{n}" aria-label="Note {n}"></td>'
        f"<td><details><summary>More {n}</summary><p>Details of {n}</p></details></td>"
        f'<td><time datetime="{seen}" data-format="ago">{seen}</time></td>'
        f'<td><a href="#acknowledged-{n}" data-key="a">Acknowledge {n}</a></td></tr>'
    )


def total(name: str, value: int) -> str:
    return f'<li id="total-{name}" class="total" hx-swap-oob="true"><b>{value}</b> {name}</li>'


def _respond(answer: Any) -> Response:
    is_html = isinstance(answer, str)
    kind = "text/html; charset=utf-8" if is_html else "application/json"
    body = answer if is_html else json.dumps(answer)
    return Response(200, "OK", Headers(HEADERS | {"Content-Type": kind}), body.encode())


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


def _answer(file: Path) -> Response:
    if not file.is_file():
        return Response(404, "Not Found", Headers(HEADERS))
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Response(200, "OK", Headers(HEADERS | {"Content-Type": kind}), file.read_bytes())
