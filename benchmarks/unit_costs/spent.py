"""CPU of this thread and of the database connection that it uses."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from benchmarks.measuring.meter import thread_seconds


@dataclass
class Spent:
    python_s: float = 0.0
    database_s: float = 0.0
    elapsed_s: float = 0.0

    def each(self, number: int) -> dict[str, float]:
        """µs for each of `number`."""
        parts = {"Python µs": self.python_s, "PostgreSQL µs": self.database_s, "elapsed µs": self.elapsed_s}
        return {name: seconds / number * 1e6 for name, seconds in parts.items()}


@contextmanager
def measured() -> Iterator[Spent]:
    """Filled in when the block ends."""
    connection.ensure_connection()
    backend, spent = connection.connection.info.backend_pid, Spent()
    began, python_s, database_s = time.perf_counter(), time.thread_time(), sum(thread_seconds(backend).values())
    yield spent
    spent.elapsed_s = time.perf_counter() - began
    spent.python_s = time.thread_time() - python_s
    spent.database_s = sum(thread_seconds(backend).values()) - database_s
