import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

LEAVE_S = 1.0


class DatabaseThread:
    """One thread with a database connection of its own, worked from the event loop."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run[*Ts, R](self, work: Callable[[*Ts], R], *args: *Ts) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)

    async def leave(self) -> None:
        """Close the connection and end. A thread that waits for a database that is away is not waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.run(close_connection)
        self._executor.shutdown(wait=False, cancel_futures=True)


def close_connection() -> None:
    """Of the thread that runs this: `connection.close` as it is would belong to the thread that names it."""
    connection.close()
