"""`manage.py retire_terminal` retires a terminal, or brings it back."""

from datetime import UTC, datetime

from django.core.management.base import CommandError, CommandParser

from tms.fleet.models import DeviceState, Terminal
from tms.fleet.models.device import AFTER_REMOVAL
from tms.fleet.terminals import lifecycle_changes
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = (
        "Retires a terminal: its keys are revoked, and its link closes within five seconds. Undo it with --bring-back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid")
        parser.add_argument("--device-becomes", choices=[*map(str, AFTER_REMOVAL)], default="spare", metavar="STATE")
        parser.add_argument("--comment", default="", help="the reason, for the audit trail")
        parser.add_argument("--bring-back", action="store_true", help="undo it, within 30 days")

    def handle(
        self, *args: object, uid: str, device_becomes: str, comment: str, bring_back: bool, **options: object
    ) -> None:
        terminal, at = Terminal.objects.filter(uid=uid).first(), datetime.now(UTC)
        if terminal is None:
            raise CommandError(f"unknown terminal {uid!r}")
        if not bring_back:
            becomes = DeviceState(device_becomes)
            changed = lifecycle_changes.retire([terminal.pk], device_becomes=becomes, by=None, at=at, comment=comment)
            self.stdout.write(f"{uid} {'retired' if changed else 'was retired already'}")
            return
        try:
            lifecycle_changes.bring_back([terminal.pk], by=None, at=at, comment=comment)
        except lifecycle_changes.NotPossible:
            days = lifecycle_changes.BRING_BACK_WITHIN.days
            raise CommandError(f"{uid} was retired more than {days} days ago; enrol a new terminal") from None
        terminal.refresh_from_db()
        self.stdout.write(f"{uid}: {terminal.lifecycle}")
