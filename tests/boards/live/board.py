"""The browser's end of a board's socket, directly on the consumer: no network, but its back-pressure."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, Self
from urllib.parse import quote

from django.conf import settings

from consumers.board import BoardConsumer
from tests.support.polling import DEADLINE_S
from tms.accounts.models import User


class Connection:
    """The send state that TMS's server puts into the scope; a test sets the number of unsent bytes."""

    def __init__(self) -> None:
        self.unwritten = 0
        self.sent: asyncio.Queue[str] = asyncio.Queue()
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def send(self, content: str) -> None:
        self.sent.put_nowait(content)

    def close(self, code: int, reason: str) -> None:
        assert reason
        if not self.closed.done():
            self.closed.set_result(code)


class Board:
    """Used with `async with`; `frame` returns the next frame."""

    def __init__(self, page: str, *, person: User, session: str, language: str = "en") -> None:
        self.connection = Connection()
        self.number = 0
        self.orders: dict[str, list[str]] = {}
        self.freshness: dict[str, Any] = {"database": {"state": "unchecked", "at": None}}
        self.answers: list[dict[str, Any]] = []
        self._sent_by_client: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._scope = {
            "type": "websocket",
            "query_string": f"page={quote(page)}&language={language}".encode(),
            "headers": [],
            "user": person,
            "session": import_module(settings.SESSION_ENGINE).SessionStore(session),
            "tms.connection": self.connection,
        }

    async def __aenter__(self) -> Self:
        self._sent_by_client.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(BoardConsumer()(self._scope, self._sent_by_client.get, self.take))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sent_by_client.put_nowait({"type": "websocket.disconnect", "code": 1005})
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self._task, DEADLINE_S)

    async def take(self, message: dict[str, Any]) -> None:
        self.answers.append(message)

    def send_text(self, text: str) -> None:
        self._sent_by_client.put_nowait({"type": "websocket.receive", "text": text})

    async def frame(self, *kinds: str) -> "Frame":
        """The next frame of one of these kinds; others are skipped, and no frame may be missing."""
        async with asyncio.timeout(DEADLINE_S):  # beats are sent forever
            while True:
                frame = self._record(json.loads(await self.connection.sent.get()))
                self.number += 1
                assert frame.number == self.number
                if frame.kind in (kinds or ("repaint", "patch")):
                    return frame

    def _record(self, result: dict[str, Any]) -> "Frame":
        """The list as a browser computes it from this and earlier frames."""
        self.freshness = {
            "newest_at": None,
            "behind_s": 0.0,
            "gaps": 0,
            "database": self.freshness["database"],
            **result["proof"],
        }
        frame = Frame(result, self.freshness)
        if order := result.get("list"):
            self.orders[order["of"]] = order["ids"] if "ids" in order else moved(self.orders[order["of"]], order)
            frame.list = order["of"], list(self.orders[order["of"]])
        return frame

    async def painted(self) -> "Frame":
        """The first repaint, after all lists that follow it."""
        repaint = await self.frame("repaint")
        await self.beat()
        return repaint

    async def until(self, is_wanted: Callable[["Frame"], bool]) -> "Frame":
        while not is_wanted(frame := await self.frame()):
            pass
        return frame

    async def showing(self, *words: str) -> "Frame":
        """The next frame whose HTML contains all of these."""
        return await self.until(lambda frame: all(word in frame.html for word in words))

    async def beat(self) -> "Frame":
        """A frame that is sent when nothing else is pending."""
        return await self.frame("beat")

    async def closed(self) -> int:
        return await asyncio.wait_for(asyncio.shield(self.connection.closed), DEADLINE_S)


class Frame:
    def __init__(self, result: dict[str, Any], freshness: dict[str, Any]) -> None:
        self.data = result
        self.number: int = result["number"]
        self.kind: str = result["kind"]
        self.html: str = result.get("html", "")
        self.freshness = freshness
        self.list: tuple[str, list[str]] = "", []

    @property
    def ids(self) -> list[str]:
        """The ids of the whole elements."""
        return re.findall(r'<\w+[^>]*?\sid="([\w-]+)"', self.html)


def moved(before: list[str], order: dict[str, Any]) -> list[str]:
    put = order.get("put", [])
    ids = [row for row in before if row not in {*order.get("gone", []), *(row for row, _ in put)}]
    for row, after in put:
        ids.insert(ids.index(after) + 1 if after else 0, row)
    return ids
