"""A clock that runs in this process, and jobs for it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from tests.support.polling import DEADLINE_S
from tms.clock.jobs import Loop
from tms.clock.scheduler import Clock
from tms.feed.publisher import feed


class Work:
    """A job that records its runs, and behaves as configured."""

    def __init__(self, act: Callable[[int], object] = lambda n: None) -> None:
        self.times = 0
        self._act = act
        self._again = threading.Condition()

    def __call__(self, at: datetime) -> None:
        with self._again:
            self.times += 1
            number = self.times
            self._again.notify_all()
        self._act(number)

    async def done(self, times: int = 1) -> None:
        """Wait until it has run so many more times."""
        assert await asyncio.to_thread(self._wait, self.times + times), f"done {self.times} times in {DEADLINE_S} s"

    def _wait(self, times: int) -> bool:
        with self._again:
            return self._again.wait_for(lambda: self.times >= times, DEADLINE_S)


@asynccontextmanager
async def running(*loops: Loop) -> AsyncIterator[Clock]:
    each = Clock(loops)
    each.start()
    try:
        yield each
    finally:
        await each.stop()
        await feed().detach()
