"""The leader among the clocks: the one that holds an advisory lock of PostgreSQL and shows activity.

The lock belongs to a connection, and the leader does all its work on that connection. A leader that was suspended or
disconnected therefore cannot act once another one leads: its first statement fails (docs/decisions/0008).
"""

import contextlib

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.utils import CursorWrapper

log = structlog.get_logger(__name__)

LOCK = 0x746D73_636C6F63
"""Key of the lock: "tmscloc"."""
SILENT_AFTER_S = 6.0
"""A leader sends a statement every half second."""

END_SILENT_LEADER = """
    SELECT leader.pid, pg_terminate_backend(leader.pid)
    FROM pg_locks AS held JOIN pg_stat_activity AS leader USING (pid)
    WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
      AND (held.classid::bigint << 32 | held.objid::bigint) = %s
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (leader.state <> 'active' OR leader.wait_event_type = 'Client')
      AND leader.state_change < clock_timestamp() - make_interval(secs => %s)
"""
"""A running query, or one that waits for a lock, counts as activity; a result that nobody reads does not."""


class LeadLost(DatabaseError):
    """The connection that held the lock was replaced."""


class Leader:
    """Use it in the thread that does the work. On SQLite there is one process, and it leads."""

    def __init__(self, lock: int = LOCK) -> None:
        self._lock = lock
        self._held: object = None

    def acquire(self) -> bool:
        """Whether this thread's connection leads now."""
        if connection.vendor != "postgresql":
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [self._lock])
            if cursor.fetchone()[0]:
                self._held = connection.connection
                return True
            self._depose_silent_leader(cursor)
        return False

    def check(self) -> None:
        """Raises LeadLost."""
        if connection.vendor == "postgresql" and (self._held is None or connection.connection is not self._held):
            raise LeadLost("the connection that led is gone")

    def resign(self) -> None:
        """Give up the lead and close the connection.

        Closing alone would return the connection to the pool, which keeps it open, and the lock with it.
        """
        self._held = None
        try:
            if connection.connection is not None and connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock_all()")
        except (DatabaseError, InterfaceError):
            with contextlib.suppress(DatabaseError, InterfaceError):
                connection.connection.close()
        finally:
            connection.close()

    def _depose_silent_leader(self, cursor: CursorWrapper) -> None:
        cursor.execute(END_SILENT_LEADER, [self._lock, SILENT_AFTER_S])
        for pid, ended in cursor.fetchall():
            log.warning("clock_unseated", backend=pid, ended=ended)
