from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tms.fleet.credentials import services
from tms.fleet.models import Credential, Terminal
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Revokes all keys of a terminal. Its connection closes within five seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid")

    def handle(self, *args: Any, **options: Any) -> None:
        terminal = Terminal.objects.filter(uid=options["uid"]).first()
        if terminal is None:
            raise CommandError(f"unknown terminal {options['uid']!r}")
        revoked = services.revoke(Credential.objects.filter(terminal=terminal), at=datetime.now(UTC))
        self.stdout.write(f"revoked {revoked} of {terminal}")
