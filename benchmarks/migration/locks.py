"""Locks that others wait for, sampled from `pg_locks`."""

import threading
import time
from types import TracebackType
from typing import NamedTuple, Self

import psycopg

EVERY_S = 0.02
SAMPLE = """
SELECT l.pid, c.relname, l.mode, l.granted, left(regexp_replace(a.query, '\\s+', ' ', 'g'), 100)
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
  AND (NOT l.granted OR a.application_name = %s
       AND l.mode IN ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock'))
"""
"""Locks of the migration that make readers or writers wait, and all that anybody waits for."""
MIGRATION = "tms migration"
"""The name of its connection."""


class TableLock(NamedTuple):
    pid: int
    table: str
    mode: str
    is_granted: bool


class Seen(NamedTuple):
    """When it was first and last seen, and the statement of then."""

    first: float
    last: float
    statement: str

    @property
    def seconds(self) -> float:
        return self.last - self.first


class LockWatch:
    """Samples while it is entered. A lock on a new table disturbs nobody, and is left out."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._now: dict[TableLock, Seen] = {}
        self._over: list[tuple[TableLock, Seen]] = []
        self._tables: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        with psycopg.connect(self._url) as database:
            found = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        self._tables = frozenset(name for (name,) in found)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def longest(self) -> list[tuple[TableLock, Seen]]:
        """The longest of each table and mode, longest first."""
        longest: dict[tuple[str, str, bool], tuple[TableLock, Seen]] = {}
        for lock, seen in sorted((*self._over, *self._now.items()), key=lambda each: each[1].seconds):
            longest[lock[1:]] = (lock, seen)
        return sorted(longest.values(), key=lambda each: -each[1].seconds)

    def _watch(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as database:
            while not self._stop.wait(EVERY_S):
                at, found = time.monotonic(), database.execute(SAMPLE, [MIGRATION]).fetchall()
                current = {TableLock(*row[:4]): str(row[4]) for row in found if row[1] in self._tables}
                for lock in self._now.keys() - current.keys():
                    self._over.append((lock, self._now.pop(lock)))
                for lock, statement in current.items():
                    before = self._now.get(lock)
                    self._now[lock] = before._replace(last=at) if before else Seen(at, at, statement)
