"""`manage.py test`, which refers to pytest."""

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Django's runner would find no test here and report success."""

    help = "Not available: TMS is tested with pytest."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*")

    def handle(self, *args: object, **options: object) -> None:
        raise CommandError(
            "TMS is tested with pytest, not with Django's runner. Everything: `make test`. Some of it: "
            "`.venv/bin/python -m pytest tests/alerts`. Both need the development packages (`make setup`)."
        )
