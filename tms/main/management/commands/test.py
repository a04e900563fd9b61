"""`manage.py test`, which refers to pytest."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Django's runner would find no test here and report success."""

    help = "Not available: TMS is tested with pytest."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("names", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "TMS is tested with pytest, not with Django's runner. Everything: `make test`. Some of it: "
            "`.venv/bin/python -m pytest tests/alerts`. Both need the development packages (`make setup`)."
        )
