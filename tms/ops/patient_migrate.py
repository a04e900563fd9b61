"""Migrations that never block serving processes: one that cannot lock its table in time gives up and is retried."""

import time
from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import OperationalError, connection
from django.db.migrations import Migration
from psycopg.errors import LockNotAvailable

LOCK_TIMEOUT_MS = 5_000
"""How long a migration may wait for a table lock: later readers queue behind it, including reports of the fleet."""
TRIES, PAUSE_S = 30, 10.0
"""Five minutes of pauses: longer than a backup or a transaction of ours."""


class LockedOut(Exception):
    """Another process held the lock of the table; the message says what to do. Earlier migrations are applied."""


class MigrateWithTimeout(migrate.Command):
    """Django's own, but each migration gives up if it cannot get a lock in time.

    A non-atomic one builds an index concurrently: it blocks nothing and may wait, and interrupting it would leave an
    invalid index.
    """

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if migration is not None and action in ("apply_start", "unapply_start"):
            limit_locks(LOCK_TIMEOUT_MS if migration.atomic else 0)
        super().migration_progress_callback(action, migration, fake)


def migrate_patiently(stdout: Any, *, verbosity: int, pause: Callable[[float], None] = time.sleep) -> None:
    """Apply all migrations. Raises LockedOut if a table stays locked; another run continues from there."""
    for left in reversed(range(TRIES)):
        try:
            call_command(MigrateWithTimeout(), interactive=False, verbosity=verbosity, stdout=stdout)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            if not left:
                raise LockedOut(
                    f"a table stayed locked for {TRIES * (PAUSE_S + LOCK_TIMEOUT_MS / 1000):.0f} s; what was applied"
                    " stays. Find who holds it (docs/runbook.md#a-migration-cannot-lock-its-table), then run this again"
                ) from None
            stdout.write(f"A table is locked; retrying in {PAUSE_S:g} s, {left} attempts left.")
            pause(PAUSE_S)
        else:
            return


def limit_locks(timeout_ms: int) -> None:
    """Limit how long this connection waits for locks; 0 means no limit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [str(timeout_ms)])
