"""Work in threads, each with its own database connection."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

from django.db import connection, transaction

from tests.support.polling import DEADLINE_S


def run_concurrently[Result](number: int, work: Callable[[int], Result]) -> list[Result | Exception]:
    """The results of `number` callers: the result of `work(n)`, or its exception."""
    ready = Barrier(number, timeout=DEADLINE_S)

    def run(n: int) -> Result | Exception:
        ready.wait()
        try:
            return work(n)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@contextmanager
def open_transaction(work: Callable[[], object]) -> Iterator[None]:
    """`work` was done in another transaction, which ends only after the block."""
    is_done, may_end = Event(), Event()

    def act() -> None:
        try:
            with transaction.atomic():
                work()
                is_done.set()
                assert may_end.wait(DEADLINE_S)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        assert is_done.wait(DEADLINE_S)
        try:
            yield
        finally:
            may_end.set()
            acting.result()


async def in_thread[Result](work: Callable[..., Result], *args: Any) -> Result:
    """`work(*args)` in a separate thread, for a coroutine that uses the database."""

    def run() -> Result:
        try:
            return work(*args)
        finally:
            connection.close()

    return await asyncio.to_thread(run)
