"""`manage.py migrate_once` migrates the database, on one of several machines that start at the same time."""

import psycopg
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tms.config.database_secret import SecretUnreadable
from tms.lib.db.advisory_lock import LockTimeout, advisory_lock
from tms.lib.management import NoChecksCommand
from tms.ops.database_role import Login, ensure_role
from tms.ops.patient_migrate import LockedOut, migrate_patiently

LOCK = 0x746D73_6D696772
"""The ASCII text "tmsmigr"."""
NOT_BEFORE = (
    "{count} migrations of this release are not applied, the first is {first}; a machine that starts changes no tables"
    " that others use: run `python -m deploy.pipeline migrate` before the release moves"
)


class Command(NoChecksCommand):
    help = "Migrates the database once per release. Every machine may run it: one migrates, all others wait for it."
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=900, metavar="S", help="seconds to wait for another process that migrates"
        )
        parser.add_argument(
            "--first-time",
            action="store_true",
            help="migrate only an empty database; otherwise fail if migrations are missing",
        )

    def handle(self, *args: object, wait: float, verbosity: int, first_time: bool, **options: object) -> None:
        self.ensure_role()
        try:
            with advisory_lock(LOCK, wait_s=wait):
                self.migrate(verbosity, first_time=first_time)
        except LockTimeout:
            raise CommandError(
                f"another process is migrating and did not finish within {wait:g} s; try again"
            ) from None

    def ensure_role(self) -> None:
        """Create the role of TMS before its first connection, which uses that role."""
        if not settings.DATABASE_MASTER_SECRET:
            return
        try:
            role = Login.of(settings.DATABASE_SECRET)
            is_new = ensure_role(
                settings.DATABASE_URL, role=role, master=lambda: Login.of(settings.DATABASE_MASTER_SECRET)
            )
        except (SecretUnreadable, psycopg.Error) as error:
            raise CommandError(f"TMS_DATABASE_MASTER_SECRET: cannot create the role of TMS: {error}") from None
        if is_new:
            self.stdout.write(f"The database belongs to the role {role.user}.")

    def migrate(self, verbosity: int, *, first_time: bool = False) -> None:
        """A database that is ahead of this release is left unchanged: the release was rolled back."""
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not missing:
            self.stdout.write("Nothing to migrate.")
            return
        if first_time and executor.loader.applied_migrations:
            raise CommandError(NOT_BEFORE.format(count=len(missing), first=missing[0][0]))
        try:
            migrate_patiently(self.stdout, verbosity=verbosity)
        except LockedOut as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Migrated.")
