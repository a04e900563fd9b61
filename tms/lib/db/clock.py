"""What time it is: what the database's clock shows, for the clocks of hosts differ, and jump (R30).

Between two looks at it the monotonic clock goes on. With SQLite the database's clock is this host's.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
SLOWEST_S = 0.5
"""Of an answer that took longer nobody knows how old it is."""
STEP = timedelta(seconds=5)
"""What differs by more has jumped; by less, it drifted."""


class DatabaseClock:
    """The clock on the wall of this process. `steps` counts how often the database's jumped."""

    def __init__(self, look: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.steps = 0
        self._look, self._monotonic = look, monotonic
        self._zero: datetime | None = None
        """What it showed when the monotonic clock was 0."""
        self._looked_at = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        if self._zero is None:
            return datetime.now(UTC)
        return self._zero + timedelta(seconds=self._monotonic())

    def keep(self) -> None:
        """Look at the database's clock, unless that was a moment ago. Blocks; from any thread."""
        with self._lock:
            if self._zero is None or self._monotonic() - self._looked_at >= LOOK_EVERY_S:
                self._set()

    def goes_on(self) -> bool:
        """Whether the database's clock shows at this moment what it should; no when it takes too long to say so."""
        with self._lock:
            before = self.steps
            return self._set() and self.steps == before

    def _set(self) -> bool:
        """Whether that was told in time."""
        asked = self._monotonic()
        shown = self._look()
        answered = self._monotonic()
        if answered - asked > SLOWEST_S:
            return False
        zero = shown - timedelta(seconds=(asked + answered) / 2)
        if self._zero is not None and abs(zero - self._zero) > STEP:
            self.steps += 1
            log.warning("wall_clock_stepped", by_s=(zero - self._zero).total_seconds())
        self._zero, self._looked_at = zero, answered
        return True


def database_clock() -> datetime:
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        shown: datetime = cursor.fetchone()[0]
        return shown


db_clock = DatabaseClock(database_clock)
