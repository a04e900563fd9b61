"""The database clock: the time that all processes use, because clocks of hosts differ and jump.

Between two readings the monotonic clock continues it. With SQLite the database's clock is this host's.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from django.db import connection

from tms.lib.per_process import per_process

log = structlog.get_logger(__name__)

SYNCHRONISE_EVERY_S = 2.0
SLOWEST_S = 0.5
"""A slower answer is ignored, because its age is unknown."""
STEP = timedelta(seconds=5)
"""A larger difference is a jump, a smaller one a drift."""


class DatabaseClock:
    """The database's clock as this process knows it. `steps` counts how often it jumped."""

    def __init__(self, read: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.steps = 0
        self._read, self._monotonic = read, monotonic
        self._zero: datetime | None = None
        """Its time when the monotonic clock was 0."""
        self._read_at = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        if self._zero is None:
            return datetime.now(UTC)
        return self._zero + timedelta(seconds=self._monotonic())

    def synchronise(self) -> None:
        """Read the database's clock, unless that was a moment ago. Blocks; may be called from any thread."""
        with self._lock:
            if self._zero is None or self._monotonic() - self._read_at >= SYNCHRONISE_EVERY_S:
                self._set()

    def is_running(self) -> bool:
        """Whether the database's clock shows the expected time; False if it answers too late."""
        with self._lock:
            before = self.steps
            return self._set() and self.steps == before

    def _set(self) -> bool:
        """Whether the answer came in time."""
        started = self._monotonic()
        shown = self._read()
        finished = self._monotonic()
        if finished - started > SLOWEST_S:
            return False
        # The answer is as old as half of the round trip, as in NTP.
        zero = shown - timedelta(seconds=(started + finished) / 2)
        if self._zero is not None and abs(zero - self._zero) > STEP:
            self.steps += 1
            log.warning("database_clock_stepped", by_s=(zero - self._zero).total_seconds())
        self._zero, self._read_at = zero, finished
        return True


def database_clock() -> datetime:
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        shown: datetime = cursor.fetchone()[0]
        return shown


@per_process
def db_clock() -> DatabaseClock:
    """The database clock as this process knows it."""
    return DatabaseClock(database_clock)
