"""The spool's copy on disk: one SQLite file. What was written survives `kill -9` and power cuts."""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from tms_agent.device.clock import Anchor
from tms_agent.storage.entry import SpooledReport
from tms_agent.storage.writer import JournalError

log = logging.getLogger("tms_agent")

MAGIC = b"SQLite format 3\0"
APPLICATION_ID = 0x544D5353
"""A number in the file's header (bytes 68 to 71), so that no other program's database is taken for a spool."""

PAGE_BYTES = 1024
"""A commit writes whole pages, and a report takes half of one. Older files keep their pages of 4 KB."""
LOG_PAGES = 256
"""Pages after which SQLite begins its log anew. While it grows, each commit also writes the file system's journal."""

CACHE_KIB = 512
"""Rows are read once, at the start: a larger cache would be memory without use."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS report (
    position INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, seq INTEGER NOT NULL,
    at REAL NOT NULL, has_events INTEGER NOT NULL, body BLOB NOT NULL, clock TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS anchor (clock TEXT PRIMARY KEY, elapsed_s REAL NOT NULL, server_time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class SpoolError(Exception):
    """The path cannot be a spool; the message gives the reason and what is expected."""


class SqliteJournal:
    """Belongs to one terminal and one process at a time. Writes block for one or two syncs of the disk."""

    def __init__(self, path: Path, uid: str) -> None:
        """Raises SpoolError."""
        self.path = path
        self._check_file()
        try:
            self._connection = self._open()
        except sqlite3.OperationalError as error:
            raise SpoolError(_advice(path, error)) from error
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            self._connection = self._open()
        self._check_owner(uid)

    def load(self) -> Iterator[SpooledReport]:
        rows = self._connection.execute(
            "SELECT position, boot_id, seq, at, has_events, body, clock FROM report ORDER BY position"
        )
        for position, boot_id, seq, at, has_events, body, clock in rows:
            yield SpooledReport(position, boot_id, seq, at, bool(has_events), body, clock)

    def load_anchors(self) -> Iterable[Anchor]:
        self._delete_unused_clocks()
        rows = self._connection.execute("SELECT clock, elapsed_s, server_time FROM anchor")
        return [Anchor(clock, elapsed_s, datetime.fromtimestamp(at, timezone.utc)) for clock, elapsed_s, at in rows]

    def write(self, added: Sequence[SpooledReport], removed: Sequence[int], anchors: Sequence[Anchor]) -> None:
        times = [(anchor.clock, anchor.elapsed_s, anchor.server_time.timestamp()) for anchor in anchors]
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO anchor VALUES (?, ?, ?)", times)
                self._connection.executemany("INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?)", added)
                # In the order of the file, so that a small cache writes each page once.
                self._connection.executemany("DELETE FROM report WHERE position = ?", zip(sorted(removed)))
        except sqlite3.Error as error:
            raise JournalError(f"{self.path}: {error}") from error

    @property
    def was_accepted(self) -> bool:
        """Whether TMS ever accepted this terminal's credential."""
        return self._fact("accepted") == "yes"

    def remember_accepted(self) -> None:
        if not self.was_accepted:
            with contextlib.suppress(sqlite3.Error), self._connection:
                self._connection.execute("INSERT OR REPLACE INTO fact VALUES ('accepted', 'yes')")

    def close(self) -> None:
        self._connection.close()

    def _delete_unused_clocks(self) -> None:
        """Delete the clocks that no report needs, except the newest, which may be the clock of the current boot."""
        with contextlib.suppress(sqlite3.Error), self._connection:
            self._connection.execute(
                "DELETE FROM anchor WHERE clock NOT IN (SELECT clock FROM report) "
                "AND rowid < (SELECT max(rowid) FROM anchor)"
            )

    def _fact(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def _check_file(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            with self.path.open("rb") as file:
                header = file.read(72)
        except OSError as error:
            raise SpoolError(_advice(self.path, error)) from error
        if header and (header[:16] != MAGIC or int.from_bytes(header[68:72], "big") not in (0, APPLICATION_ID)):
            raise SpoolError(f"{self.path} is not a spool; use the path of a spool or of a new file")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=1)
        try:
            # One process at a time; the lock of a killed one is released.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
            connection.execute("PRAGMA synchronous = FULL")
            _prepare(connection)
            damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise sqlite3.DatabaseError(damage)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        damaged = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        self.path.rename(damaged)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        log.error("the spool was damaged (%s): a new one begins, the old one is kept as %s", error, damaged)

    def _check_owner(self, uid: str) -> None:
        owner = self._fact("terminal")
        if owner is None:
            with self._connection:
                self._connection.execute("INSERT INTO fact VALUES ('terminal', ?)", (uid,))
        elif owner != uid:
            self.close()
            raise SpoolError(
                f"{self.path} contains reports of {owner}, not of {uid}; use a separate spool for each terminal"
            )


def _prepare(connection: sqlite3.Connection) -> None:
    """Writes nothing to an existing spool: the agent must also start on a full disk."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.executescript(SCHEMA)


def _advice(path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.Error) and "locked" in str(error):
        return f"{path} is in use: another agent runs with this spool; stop it, or give this one another --spool"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"{path} cannot be used as spool: {reason}; give a writable path with --spool"
