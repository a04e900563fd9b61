"""A thread with its own database connection, used from the event loop."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from tms.lib.db.errors import is_database_away

LEAVE_S = 1.0
"""How long `leave` waits for work in progress."""


class DatabaseThread:
    """Runs one piece of work at a time, in the order of the calls, on one database connection.

    After an error that means that the database is unavailable, the connection is closed, unless `keeps_connection`: a
    leader of the clock gives up its lock first.
    """

    def __init__(self, name: str, *, keeps_connection: bool = False) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._guard = _run if keeps_connection else _run_guarded

    async def run[**P, R](self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Raises what `work` raises."""
        guard = self._guard
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: guard(work, *args, **kwargs))

    async def leave(self) -> None:
        """Close the connection and end the thread, without waiting for an unavailable database."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.run(close_connection)
        self._executor.shutdown(wait=False, cancel_futures=True)


def _run[**P, R](work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return work(*args, **kwargs)


def _run_guarded[**P, R](work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return work(*args, **kwargs)
    except Exception as error:
        if is_database_away(error):
            connection.close()
        raise


def release_connection() -> None:
    """Return the connection of the calling thread to the pool before a wait for something else than the database.

    The next statement takes another one. Within a transaction the connection stays.
    """
    if not connection.in_atomic_block:
        connection.close()


def close_connection() -> None:
    """Close the connection of the calling thread. (`connection.close` is bound to the thread that evaluates it.)"""
    connection.close()
