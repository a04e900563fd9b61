from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tms.ops.turn import StillTaken, turn
from tms.prompt_command import PromptCommand

LOCK = 0x746D73_6D696772
"""In ASCII: tmsmigr."""


class Command(PromptCommand):
    help = "Migrates once per release: every machine may run it, one of them does it, and all return when it is done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=900, metavar="S", help="for another one that migrates")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with turn(LOCK, wait_s=options["wait"]):
                self.migrate(options["verbosity"])
        except StillTaken:
            raise CommandError(f"another process migrates, and did not finish within {options['wait']:g} s") from None

    def migrate(self, verbosity: int) -> None:
        """A database that is ahead of this release is left as it is: it was rolled back."""
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Nothing to migrate.")
            return
        call_command("migrate", interactive=False, verbosity=verbosity, stdout=self.stdout)
        self.stdout.write("Migrated.")
