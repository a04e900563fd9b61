"""Hashes passwords in a few threads of low priority.

One hash takes a core for most of a second. Without a limit, password guessing would take the cores from the pages.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from contextlib import suppress
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection

WAITING = 8
"""Hashes that may wait for a thread; further ones are rejected."""
WAIT_S = 5.0
NICENESS = 15


class HashingBusyError(Exception):
    """More passwords are waiting to be hashed than this process accepts."""

    wait_s = 5.0


class HashingPool:
    def __init__(self, threads: int, *, waiting: int = WAITING, wait_s: float = WAIT_S) -> None:
        self._executor = ThreadPoolExecutor(threads, "hashing", initializer=yield_to_others)
        self._slots = threading.BoundedSemaphore(threads + waiting)
        self._wait_s = wait_s

    def run(self, work: Callable[[], str]) -> str:
        """Raises HashingBusyError if `work` did not begin in time."""
        if not self._slots.acquire(blocking=False):
            raise HashingBusyError
        future = self._executor.submit(work)
        future.add_done_callback(lambda _: self._slots.release())
        with suppress(LateError):
            return future.result(self._wait_s)
        if future.cancel():
            raise HashingBusyError
        return future.result()


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """Django's own hash, in the pool. Stored hashes are the same."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        give_back_connection()
        hashing = super().encode
        return pool().run(lambda: hashing(password, salt, iterations))


def give_back_connection() -> None:
    """Close the connection that read the person: pages need it while this request waits for a thread."""
    if not connection.in_atomic_block:
        connection.close()


@cache
def pool() -> HashingPool:
    return HashingPool(settings.HASHING_THREADS)


def yield_to_others() -> None:
    """Lower the priority of the calling thread, which on Linux is per thread: pages and terminals go first."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
