"""What a terminal answers to requests of TMS, for tests without a link."""

import asyncio
from typing import Any

from tests.support.polling import DEADLINE_S


class Recorded:
    def __init__(self) -> None:
        self.answers: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()

    def done(self, request_id: Any, result: Any) -> None:
        self.answers.put_nowait((request_id, result))

    def refuse(self, request_id: Any, reason: str) -> None:
        self.answers.put_nowait((request_id, reason))

    def postpone(self, request_id: Any, reason: str) -> None:
        self.answers.put_nowait((request_id, f"not now: {reason}"))

    def progress(self, request_id: Any, percent: Any, text: str) -> None: ...

    async def next(self) -> tuple[Any, ...]:
        async with asyncio.timeout(DEADLINE_S):
            return await self.answers.get()
