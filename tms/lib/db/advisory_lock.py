"""Mutual exclusion among all processes of one database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

POLL_EVERY_S = 1.0


class LockTimeout(Exception):
    """Another process held the lock for as long as we were willing to wait."""


@contextmanager
def advisory_lock(key: int, *, wait_s: float, pause: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Hold PostgreSQL's advisory lock `key`. It belongs to this thread's connection, and ends with it.

    The lock is polled: a waiting statement would hold a snapshot, which would block building an index concurrently for
    ever. On SQLite there is one process, which has the lock. Raises LockTimeout.
    """
    if connection.vendor != "postgresql":
        yield
        return
    deadline = time.monotonic() + wait_s
    while not try_lock("SELECT pg_try_advisory_lock(%s)", key):
        if time.monotonic() >= deadline:
            raise LockTimeout
        pause(POLL_EVERY_S)
    try:
        yield
    finally:
        try_lock("SELECT pg_advisory_unlock(%s)", key)


def try_lock(question: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [key])
        return bool(cursor.fetchone()[0])
