from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tms.accounts import api_tokens
from tms.accounts.models import User
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Prints a token with which another system may see and do over the API what a person may."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the person that it acts as")
        parser.add_argument("--name", required=True, help="what uses it")
        parser.add_argument("--days", type=int, default=365, help="how long it is valid; 0: until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"], is_active=True).first()
        if person is None:
            raise CommandError(f"no person {options['username']!r} who may sign in")
        if not 0 <= options["days"] <= api_tokens.MOST_DAYS:
            raise CommandError(f"--days {options['days']}: 0 to {api_tokens.MOST_DAYS}")
        at = datetime.now(UTC)
        expires_at = at + timedelta(days=options["days"]) if options["days"] else None
        _, secret = api_tokens.issue(person, name=options["name"], at=at, expires_at=expires_at)
        self.stdout.write(secret)
