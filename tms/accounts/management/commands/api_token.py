"""`manage.py api_token` issues an API token of a person and prints it once."""

from datetime import UTC, datetime, timedelta

from django.core.management.base import CommandError, CommandParser

from tms.accounts import api_tokens
from tms.accounts.models import TokenScope, User
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Prints an API token that gives another system the permissions of a person."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="username of the person")
        parser.add_argument("--name", required=True, help="program that uses the token")
        parser.add_argument("--read-only", action="store_true", help="the token can change nothing")
        parser.add_argument("--days", type=int, default=365, help="days of validity; 0: until revoked")

    def handle(self, *args: object, username: str, name: str, read_only: bool, days: int, **options: object) -> None:
        person = User.objects.filter(username=username, is_active=True).first()
        if person is None:
            raise CommandError(f"no active person {username!r}")
        if not 0 <= days <= api_tokens.MAX_DAYS:
            raise CommandError(f"--days {days}: expected 0 to {api_tokens.MAX_DAYS}")
        at = datetime.now(UTC)
        expires_at = at + timedelta(days=days) if days else None
        scope = TokenScope.READ if read_only else TokenScope.FULL
        _, secret = api_tokens.issue(person, name=name, at=at, expires_at=expires_at, scope=scope)
        self.stdout.write(secret)
