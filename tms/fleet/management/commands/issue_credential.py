"""`manage.py issue_credential` issues a credential for a terminal and prints it once."""

from django.core.management.base import CommandError, CommandParser

from tms.fleet.credentials import services
from tms.fleet.models import Terminal
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Issues another key for a terminal and prints it, uid.secret, only once. Older keys stay valid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid")

    def handle(self, *args: object, uid: str, **options: object) -> None:
        terminal = Terminal.objects.filter(uid=uid).first()
        if terminal is None:
            raise CommandError(f"unknown terminal {uid!r}")
        try:
            credential = services.issue(terminal)
        except services.Retired:
            raise CommandError(f"{uid} is retired; bring it back on its page Manage first") from None
        self.stderr.write(f"{terminal} has another key, which is not shown again; older ones stay valid")
        self.stdout.write(str(credential))
