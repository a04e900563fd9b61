"""The commands of a terminal and their answers, in one SQLite file: no command runs twice, and no answer is lost."""

import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger("tms_agent")

MOST, MOST_BYTES = 1_000, 8_000_000
"""How many commands are kept, and how much of their answers. The oldest are deleted."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS command (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL, answer BLOB,
    is_confirmed INTEGER NOT NULL DEFAULT 0
)
"""
DELETE_OLDEST = """
DELETE FROM command WHERE answer IS NOT NULL AND number <= (
    SELECT coalesce(max(number), 0) FROM (
        SELECT number, row_number() OVER newest AS place, sum(length(coalesce(answer, ''))) OVER newest AS bytes
        FROM command WINDOW newest AS (ORDER BY number DESC)
    ) WHERE place >= ? OR bytes > ?
)
"""


class StoredCommand(NamedTuple):
    id: str
    answer: bytes | None
    """None before the command is over."""


class CommandJournal:
    """Each change is one synced commit; commands are rare. The lock of the spool beside it keeps other processes away.

    A disk that cannot be written costs the record, and not the command, which may be what makes room on it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results = path.with_name(f"{path.name}.results")
        self._is_failing = False
        try:
            self._connection = self._open()
        except (OSError, sqlite3.OperationalError) as error:
            self._fail(error)
            self._connection = sqlite3.connect(":memory:")
            self._connection.execute(SCHEMA)
        except sqlite3.DatabaseError as error:
            log.error("%s was damaged (%s): a new one begins, the old one is kept beside it", path, error)
            self._set_aside()
            self._connection = self._open()

    def find(self, request_id: str, content: str) -> StoredCommand | None:
        """`content` identifies what the command does, because a TMS that was restored uses ids again."""
        sql = "SELECT id, answer FROM command WHERE id = ? AND content = ?"
        return next(iter(self._read(sql, request_id, content)), None)

    def begin(self, request_id: str, content: str) -> Path:
        """The command runs from now on. Returns where it may store its result itself."""
        with self._commit():
            self._connection.execute(DELETE_OLDEST, (MOST, MOST_BYTES))
            self._connection.execute(
                "INSERT OR REPLACE INTO command (id, content) VALUES (?, ?)", (request_id, content)
            )
        with self._commit():
            self._results.mkdir(mode=0o700, exist_ok=True)
            self.result_file(request_id).unlink(missing_ok=True)
        return self.result_file(request_id)

    def finish(self, request_id: str, answer: bytes) -> None:
        with self._commit():
            self._connection.execute(
                "INSERT INTO command (id, content, answer) VALUES (?, '', ?) "
                "ON CONFLICT (id) DO UPDATE SET answer = excluded.answer",
                (request_id, answer),
            )
            self.result_file(request_id).unlink(missing_ok=True)

    def confirm(self, request_id: str) -> None:
        """TMS has the answer."""
        with self._commit():
            self._connection.execute(
                "UPDATE command SET is_confirmed = 1 WHERE id = ? AND NOT is_confirmed", (request_id,)
            )

    def unfinished(self) -> Sequence[StoredCommand]:
        return self._read("SELECT id, answer FROM command WHERE answer IS NULL ORDER BY number")

    def unconfirmed(self) -> Sequence[StoredCommand]:
        return self._read(
            "SELECT id, answer FROM command WHERE answer IS NOT NULL AND NOT is_confirmed ORDER BY number"
        )

    def result_file(self, request_id: str) -> Path:
        return self._results / hashlib.sha256(request_id.encode()).hexdigest()

    def close(self) -> None:
        self._connection.close()

    def _read(self, sql: str, *values: str) -> Sequence[StoredCommand]:
        try:
            return [StoredCommand(*row) for row in self._connection.execute(sql, values)]
        except sqlite3.Error as error:
            self._fail(error)
            return ()

    @contextlib.contextmanager
    def _commit(self) -> Iterator[None]:
        try:
            with self._connection:
                yield
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
        else:
            self._is_failing = False

    def _fail(self, error: Exception) -> None:
        if not self._is_failing:
            log.error("commands are not recorded until %s can be written again: %s", self._path, error)
        self._is_failing = True

    def _set_aside(self) -> None:
        self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, timeout=1)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(SCHEMA)
            damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise sqlite3.DatabaseError(damage)
        except sqlite3.Error:
            connection.close()
            raise
        return connection
