"""Refuses a database of a release before 1.0: the migrations of 1.0 do not continue its own."""

from django.core.management.base import CommandError
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

BEFORE_1_0 = ("alerts", "0002_default_rules")
"""A migration that each of them had."""


def refuse(*, using: str, **_: object) -> None:
    """Receiver of `pre_migrate`. Without it, the database would say that a table exists already."""
    if BEFORE_1_0 in MigrationRecorder(connections[using]).applied_migrations():
        raise CommandError(
            "this database is of a release before 1.0 and cannot be updated: migrate an empty one. After `make run`,"
            " move the folder var away"
        )
