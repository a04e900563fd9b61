"""A connection to PostgreSQL for short statements from the event loop."""

import asyncio
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from tms.lib.db.prepared import PREPARE_AFTER, Parameters


class LoopConnection:
    """Connects with the first statement, and again after an error. One statement at a time.

    A thread takes at least as much CPU time as a short statement: it has to be woken up, competes for the GIL, and
    wakes up the event loop.
    """

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection | None = None

    async def fetch_prepared(self, sql: str, parameters: Parameters) -> tuple[Any, ...]:
        """The first row, committed. Raises Django's errors. The names in `sql` must be our own."""
        try:
            with connection.wrap_database_errors:
                self._connection = self._connection or await _connect()
                cursor = await self._connection.execute(sql, parameters)
                return await cursor.fetchone() or ()
        except BaseException:
            await self.close()
            raise

    @property
    def backend_pid(self) -> int | None:
        """Of the server's process; None without a connection."""
        return self._connection.info.backend_pid if self._connection is not None else None

    async def close(self) -> None:
        former, self._connection = self._connection, None
        if former is not None:
            await former.close()


async def _connect() -> psycopg.AsyncConnection:
    named = await asyncio.to_thread(_parameters)
    return await psycopg.AsyncConnection.connect(autocommit=True, prepare_threshold=PREPARE_AFTER, **named)


def _parameters() -> dict[str, Any]:
    """Those of Django's connections, with the newest password. It may have to be read from Secrets Manager."""
    of_django = ("cursor_factory", "context", "prepare_threshold")
    named = {name: value for name, value in connection.get_connection_params().items() if name not in of_django}
    secret = settings.DATABASES["default"]["OPTIONS"].get("pool", {}).get("conninfo")
    return named | {"conninfo": secret()} if secret else named
