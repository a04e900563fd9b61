"""The terminal's end of a session in tests."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tests.support.polling import DEADLINE_S
from tms.protocol.close_codes import CloseCode


class Wire:
    """The terminal's end of a session: the received frames, and the close code."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed: CloseCode | None = None
        self._is_new = asyncio.Event()

    def send(self, text: str) -> None:
        self.frames.append(json.loads(text))
        self._is_new.set()

    def close(self, code: CloseCode, reason: str) -> None:
        assert reason
        self.closed = code
        self._is_new.set()

    async def sent(self, method: str) -> dict[str, Any]:
        """Wait for a frame with `method`; returns its params."""
        await self._until(lambda: self.of(method))
        return self.of(method)[0]

    async def ended(self) -> None:
        await self._until(lambda: self.closed)

    async def _until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not seen():
                self._is_new.clear()
                await self._is_new.wait()

    def of(self, method: str) -> list[dict[str, Any]]:
        """The params of sent frames with `method`."""
        return [frame["params"] for frame in self.frames if frame.get("method") == method]

    @property
    def errors(self) -> list[str]:
        return [frame["error"]["data"]["type"] for frame in self.frames if "error" in frame]

    @property
    def booted(self) -> dict[str, Any] | None:
        return next((frame["result"] for frame in self.frames if "result" in frame), None)
