"""`manage.py seed_demo` creates the demo fleet and its past."""

import platform
from pathlib import Path

from django.core.management.base import CommandParser

from tms.demo import seed
from tms.demo.people import VISITOR
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Makes demo people, sites and terminals where they are missing; for the simulator, `python -m tms.demo`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("terminals", type=int)
        parser.add_argument("--fleet", required=True, type=Path, help="file in which their credentials are kept")

    def handle(self, *args: object, terminals: int, fleet: Path, **options: object) -> None:
        seed.seed(terminals, path=fleet, machine=platform.node() or "this-machine")
        self.stdout.write(f"{VISITOR.username} {VISITOR.password}")
