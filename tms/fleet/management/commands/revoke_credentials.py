"""`manage.py revoke_credentials` revokes credentials of a terminal."""

from datetime import UTC, datetime

from django.core.management.base import CommandError, CommandParser

from tms.fleet.credentials import services
from tms.fleet.models import Credential, Terminal
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Revokes keys of a terminal. Links that use them close within five seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid")
        parser.add_argument("--but-newest", action="store_true", help="keep the newest key, which replaces the others")

    def handle(self, *args: object, uid: str, but_newest: bool, **options: object) -> None:
        terminal = Terminal.objects.filter(uid=uid).first()
        if terminal is None:
            raise CommandError(f"unknown terminal {uid!r}")
        keys = Credential.objects.filter(terminal=terminal, revoked_at=None)
        if but_newest and (newest := keys.order_by("-pk").first()):
            keys = keys.exclude(pk=newest.pk)
        revoked = services.revoke(keys, at=datetime.now(UTC))
        self.stdout.write(f"revoked {revoked} of {terminal}")
