"""Base classes of management commands."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection


class NoChecksCommand(BaseCommand):
    """A command without Django's system checks of the code, which take longer than its start and run in tests.

    What a process that serves needs of its environment is checked by `refuse_unsafe`.
    """

    requires_system_checks = ()
    suppressed_base_arguments = frozenset(  # type: ignore[assignment]  # a mutable set in the stubs
        ("--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color")
    )
    """Options of Django that work, and of which `--help` says nothing."""
    needs_database = True

    def execute(self, *args: object, **options: object) -> Any:
        if self.needs_database:
            require_database()
        return super().execute(*args, **options)


def require_database() -> None:
    """SQLite would make an empty file of a missing one, and the command would work on that."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and "memory" not in name and not Path(name).exists():
        raise CommandError(
            f"no TMS in {settings.DATA_DIR}: {Path(name).name} is missing; set TMS_DATA_DIR as for make run"
        )
