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
"""How long a migration may wait for a table lock: later readers queue behind it, reports of the fleet among them."""
TRIES, PAUSE_S = 30, 10.0
"""Five minutes of pauses: longer than a backup's or a report's transaction of ours."""


class LockedOut(Exception):
    """Another process kept the table locked; the message says what to do. Earlier migrations are applied."""


class MigrateWithTimeout(migrate.Command):
    """Django's own, but each migration gives up if it cannot get a lock in time.

    One that is not atomic builds an index concurrently: it locks nobody out and may wait, and to break off would leave
    an index behind that is not valid.
    """

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if migration is not None and action in ("apply_start", "unapply_start"):
            limit_locks(LOCK_TIMEOUT_MS if migration.atomic else 0)
        super().migration_progress_callback(action, migration, fake)


def migrate_patiently(stdout: Any, *, verbosity: int, pause: Callable[[float], None] = time.sleep) -> None:
    """Apply all migrations. Raises LockedOut when a table stays locked; another run goes on from there."""
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
    """0 is for ever. For this connection."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [str(timeout_ms)])
