"""The open jobs that use commands, for the catalogue."""

from tms.accounts.models import User
from tms.commands.uses import CommandUse
from tms.jobs.models import Job


def open_jobs(*, to: User | None, **_: object) -> list[CommandUse]:
    """A receiver of `command_uses`."""
    seen = set(Job.objects.open().of(to).values_list("pk", flat=True)) if to else set()
    rows = Job.objects.open().values_list("command", "pk", "name", "args")
    return [CommandUse(command, pk, name if pk in seen else "", args) for command, pk, name, args in rows]
