"""`manage.py agent` runs the reference terminal on this machine."""

import sys
from typing import Any

from tms.agent.__main__ import main
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Runs the reference terminal on this machine; the same as `tms-agent`."
    needs_database = False

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(main(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main([]))
