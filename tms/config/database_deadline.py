"""A deadline for answers of PostgreSQL: a server that hangs keeps its connections open, and the threads of pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout

MIN_STATEMENT_S = 1.0
"""A statement that begins at the deadline gets so long: a slow page is not a database that hangs."""

_until: ContextVar[float | None] = ContextVar("database_deadline", default=None)


@contextmanager
def database_answers_within(seconds: float) -> Iterator[None]:
    """Raise OperationalError in this context for a statement without an answer in time, and close its connection."""
    token = _until.set(monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


class ImpatientConnection(psycopg.Connection[Any]):
    """A statement timeout is not enough: the server that should watch it is the one that hangs."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        until = _until.get()
        if until is None:
            return super().wait(gen, interval, timeout)
        left = max(until - monotonic(), MIN_STATEMENT_S)
        try:
            return super().wait(gen, interval, left if timeout is None else min(left, timeout))
        except _WaitTimeout:
            self.close()  # its answer may still come, and would be taken for that of the next statement
            raise psycopg.OperationalError("the database did not answer in time") from None
