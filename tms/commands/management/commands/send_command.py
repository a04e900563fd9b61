"""`manage.py send_command` queues a command for a terminal."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from django.core.management.base import CommandError, CommandParser

from tms.commands import services
from tms.commands.kinds import CATALOG
from tms.fleet.models import Terminal
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Queues a command for a terminal. It is sent within seconds, or when the terminal reconnects."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid")
        parser.add_argument("name", help=f"one of {', '.join(CATALOG)}")
        parser.add_argument("--arguments", default="{}", help="JSON object")

    def handle(self, *_: object, uid: str, name: str, arguments: str, **options: object) -> None:
        terminal = Terminal.objects.filter(uid=uid).first()
        if terminal is None:
            raise CommandError(f"unknown terminal {uid!r}")
        try:
            args = msgspec.json.decode(arguments, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise CommandError(f"--arguments: {error}") from None
        try:
            within = services.check(name, args).answer_within_s
            queued = services.queue(
                terminal, name=name, args=args, by=None, at=datetime.now(UTC), answer_within_s=within
            )
        except services.CommandRefused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"queued as {queued.pk}")
