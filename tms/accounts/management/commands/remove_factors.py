"""`manage.py remove_factors` removes the second factors of a person who has lost them."""

from django.core.management.base import CommandError, CommandParser

from tms.accounts.factors import services
from tms.accounts.models import User
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Removes the second factors of a person who has lost them, who can then sign in with their password alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: object, username: str, **options: object) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"there is no person with the username {username}")
        self.stdout.write(f"{services.remove_all(person)} factors of {username} were removed")
