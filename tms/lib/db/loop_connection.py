"""A connection to PostgreSQL for short statements from the event loop."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

CANCEL_S = 1.0
"""How long to wait for the server to cancel a statement."""
PLANNING = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
"""One plan: PostgreSQL would plan a statement again for each number of rows, which takes longer than executing it. It
stays until the table is analysed again, so it must not scan a table that was small when it was made.
"""

type Row = Sequence[bytes | None]


class LoopConnection:
    """Connects with the first statement, and again after an error. One statement at a time.

    A thread takes at least as much CPU time as a short statement: it has to be woken up, competes for the GIL, and
    wakes up the event loop. So does a cursor of psycopg, which converts each value, and registers the socket with the
    event loop for each wait. So libpq is called here.
    """

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection | None = None
        self._socket: int | None = None
        """The one that the event loop watches."""
        self._names: dict[str, bytes] = {}
        """Names of prepared statements by their SQL."""
        self._progress: asyncio.Future[None] | None = None
        """The future that ends when the server has answered, while an answer is awaited."""

    async def fetch_prepared(self, sql: str, parameters: Sequence[bytes]) -> Row:
        """The first row, committed. Raises Django's errors. The names in `sql` must be our own.

        Parameters (`$1` is the first) and values are in PostgreSQL's text format.
        """
        try:
            with connection.wrap_database_errors:
                return await self._fetch(sql, parameters)
        except asyncio.CancelledError:
            await self._cancel()
            raise
        except BaseException:
            await self.close()
            raise

    @property
    def backend_pid(self) -> int | None:
        """The process id of the server's process; None without a connection."""
        return self._connection.info.backend_pid if self._connection is not None else None

    async def close(self) -> None:
        if (former := self._release()) is not None:
            await former.close()

    async def _cancel(self) -> None:
        """Cancel the statement, and close the connection."""
        if (former := self._release()) is None:
            return
        try:
            with contextlib.suppress(psycopg.Error):
                await former.cancel_safe(timeout=CANCEL_S)
        finally:
            await former.close()

    async def _fetch(self, sql: str, parameters: Sequence[bytes]) -> Row:
        pgconn = (self._connection or await self._connect()).pgconn
        name = self._names.get(sql) or await self._prepare(pgconn, sql)
        pgconn.send_query_prepared(name, parameters)
        result = await self._result(pgconn)
        return [result.get_value(0, column) for column in range(result.nfields)] if result.ntuples else []

    async def _connect(self) -> psycopg.AsyncConnection:
        made = self._connection = await _connect()
        await made.execute(PLANNING)
        self._names, self._socket = {}, made.pgconn.socket
        asyncio.get_running_loop().add_reader(self._socket, self._read, made.pgconn)
        return made

    async def _prepare(self, pgconn: PGconn, sql: str) -> bytes:
        name = b"loop_%d" % len(self._names)
        pgconn.send_prepare(name, sql.encode())
        await self._result(pgconn)
        self._names[sql] = name
        return name

    async def _result(self, pgconn: PGconn) -> PGresult:
        """The result of what was sent. Raises psycopg's errors."""
        # Not everything was sent: the socket's buffer is full, and the event loop sends the rest.
        if pgconn.flush():
            asyncio.get_running_loop().add_writer(pgconn.socket, self._write, pgconn)
        found: PGresult | None = None
        while True:
            while pgconn.is_busy():
                self._progress = asyncio.get_running_loop().create_future()
                await self._progress
            # libpq ends each statement with an empty result; the next statement may only follow that.
            result = pgconn.get_result()
            if result is None:
                assert found is not None
                return found
            if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                raise error_from_result(result)
            found = result

    def _read(self, pgconn: PGconn) -> None:
        """Called when the socket has input, also without a statement: then it has been closed."""
        try:
            pgconn.consume_input()
        except psycopg.Error as error:
            self._lose(pgconn, error)
        else:
            self._proceed(None)

    def _write(self, pgconn: PGconn) -> None:
        """Called when the socket accepts more output."""
        try:
            if not pgconn.flush():
                asyncio.get_running_loop().remove_writer(pgconn.socket)
        except psycopg.Error as error:
            self._lose(pgconn, error)

    def _lose(self, pgconn: PGconn, error: psycopg.Error) -> None:
        """Close the connection at once, because libpq has closed the socket, and another one may get its number."""
        self._release()
        pgconn.finish()
        self._proceed(error)

    def _proceed(self, error: psycopg.Error | None) -> None:
        progress, self._progress = self._progress, None
        if progress is None or progress.done():
            return
        if error is None:
            progress.set_result(None)
        else:
            progress.set_exception(error)

    def _release(self) -> psycopg.AsyncConnection | None:
        """The connection, which the event loop no longer watches."""
        if self._socket is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._socket)
            loop.remove_writer(self._socket)
        former, self._connection, self._socket = self._connection, None, None
        return former


async def _connect() -> psycopg.AsyncConnection:
    named = await asyncio.to_thread(_parameters)
    return await psycopg.AsyncConnection.connect(autocommit=True, **named)


def _parameters() -> dict[str, Any]:
    """The parameters of Django's connections, with the newest password. It may have to be read from Secrets Manager."""
    of_django = ("cursor_factory", "context", "prepare_threshold")
    named = {name: value for name, value in connection.get_connection_params().items() if name not in of_django}
    secret = settings.DATABASES["default"]["OPTIONS"].get("pool", {}).get("conninfo")
    return named | {"conninfo": secret()} if secret else named
