"""Ends connections at an instant.

A timeout of a socket is for each read: a server that sends a byte now and then could hold a thread for days.
"""

import heapq
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Self

from tms.lib.per_process import per_process


class WatchedConnection(NamedTuple):
    """One that ends at `until`, on the monotonic clock."""

    until: float
    descriptor: int
    """That of another file, if the connection was closed meanwhile."""
    inode: tuple[int, int]
    """Device and number: of no other file."""

    @classmethod
    def of(cls, connection: socket.socket, until: float) -> Self:
        return cls(until, connection.fileno(), _inode(connection.fileno()))

    def end(self) -> None:
        """A thread that reads from it continues, with what was received."""
        # Of another file, `socket.fromfd` would leave the duplicate open: its pipe, for one, would never end.
        with suppress(OSError), _duplicate(self.descriptor) as duplicate:
            if _inode(duplicate) == self.inode:
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=os.dup(duplicate)) as found:
                    found.shutdown(socket.SHUT_RDWR)


@contextmanager
def _duplicate(descriptor: int) -> Iterator[int]:
    duplicate = os.dup(descriptor)
    try:
        yield duplicate
    finally:
        os.close(duplicate)


def _inode(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


class ConnectionDeadlines:
    """The connections of a process. A thread waits for the next deadline, as long as there is one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._connections: list[WatchedConnection] = []
        """A heap, the earliest first; also those that are closed."""
        self._is_running = False

    def add(self, connection: socket.socket, until: float) -> None:
        """It may be wrapped in TLS afterwards."""
        with self._changed:
            heapq.heappush(self._connections, WatchedConnection.of(connection, until))
            self._changed.notify()
            if not self._is_running:
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
                self._is_running = True

    def _run(self) -> None:
        while (due := self._next()) is not None:
            due.end()

    def _next(self) -> WatchedConnection | None:
        """Waits for the next deadline. None if there is none, and the thread ends."""
        with self._changed:
            while self._connections:
                left_s = self._connections[0].until - time.monotonic()
                if left_s <= 0:
                    return heapq.heappop(self._connections)
                self._changed.wait(left_s)
            self._is_running = False
            return None


@per_process
def deadlines() -> ConnectionDeadlines:
    return ConnectionDeadlines()
