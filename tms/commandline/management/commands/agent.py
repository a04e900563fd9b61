import sys
from typing import Any

from django.core.management.base import BaseCommand

from tms.agent.__main__ import main


class Command(BaseCommand):
    help = "Runs the reference terminal on this machine; the same as `tms-agent`."

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(main(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main([]))
