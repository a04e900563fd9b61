"""The jobs that commands came from, for the pages of terminals."""

from collections.abc import Collection
from typing import NamedTuple

from tms.jobs.models import Item


class JobLink(NamedTuple):
    pk: int
    name: str


def jobs_of_commands(commands: Collection[int]) -> dict[int, JobLink]:
    """The job of each command that was sent by one; of an item that was tried again, its last command has it."""
    if not commands:
        return {}
    items = Item.objects.filter(command__in=commands).order_by()
    return {
        command: JobLink(pk, name) for command, pk, name in items.values_list("command", "run__job", "run__job__name")
    }
