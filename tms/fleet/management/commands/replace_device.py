"""`manage.py replace_device` puts another device in a terminal's place, and prints its key once."""

from datetime import UTC, datetime

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from tms.fleet.credentials.services import Retired
from tms.fleet.devices import placements
from tms.fleet.models import DeviceState, Terminal
from tms.fleet.models.device import AFTER_REMOVAL
from tms.lib.management import NoChecksCommand

MAX_CHARACTERS = 64


class Command(NoChecksCommand):
    help = "Replaces the device of a terminal: the old keys are revoked; prints the new one, uid.secret, only once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid")
        parser.add_argument("serial", help="serial number of the new device")
        parser.add_argument("--old-becomes", choices=[*map(str, AFTER_REMOVAL)], default="in_repair", metavar="STATE")
        parser.add_argument("--comment", default="", help="the reason, for the audit trail")

    def handle(self, *args: object, uid: str, serial: str, old_becomes: str, comment: str, **options: object) -> None:
        terminal = Terminal.objects.filter(uid=uid).first()
        if terminal is None:
            raise CommandError(f"unknown terminal {uid!r}")
        if not 0 < len(serial.strip()) <= MAX_CHARACTERS:
            raise CommandError(f"serial number {serial!r}: use 1 to {MAX_CHARACTERS} characters")
        at, becomes = datetime.now(UTC), DeviceState(old_becomes)
        try:
            with transaction.atomic():
                device = placements.known_device(serial.strip())
                replaced = placements.replace(
                    terminal, device, removed_becomes=becomes, by=None, at=at, comment=comment
                )
        except placements.AlreadyPlaced as error:
            raise CommandError(
                f"device {serial!r} {error}; swap the two terminals, or replace that one first"
            ) from None
        except Retired:
            raise CommandError(f"{uid} is retired; bring it back first") from None
        self.stderr.write(
            f"{uid}: {replaced.removed or 'no device'} → {serial}; its key follows and is not shown again"
        )
        self.stdout.write(str(replaced.credential))
