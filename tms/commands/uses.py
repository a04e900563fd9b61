"""What uses the commands of the catalogue. Jobs answer a signal, because they are above commands."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.dispatch import Signal

from tms.accounts.models import User
from tms.commands.argument_schemas import Schema, faults
from tms.commands.models import Danger

command_uses = Signal()
"""Asks for what is planned or going on with commands. Each receiver returns a list of `CommandUse`, with names only of
what `to` sees; None sees no names.
"""


class CommandUse(NamedTuple):
    command: str
    pk: int
    name: str
    """Empty if the person does not see it."""
    arguments: Mapping[str, Any]


def may_be_job(danger: str, schema: Schema, arguments: Mapping[str, Any]) -> bool:
    """Whether a job may send a command of this danger and schema with these arguments."""
    return danger != Danger.DELETES_DATA and faults(schema, dict(arguments)) is None


def every_use(*, to: User | None = None) -> list[CommandUse]:
    answers: Sequence[tuple[object, Any]] = command_uses.send(sender=CommandUse, to=to)
    return [use for _, uses in answers for use in uses]


def uses_of(command: str, *, to: User | None = None) -> list[CommandUse]:
    return [use for use in every_use(to=to) if use.command == command]
