"""Keys, versions and configurations of terminals in tests."""

from typing import Any

from django.db import transaction

from tests.support.builders import AT, later
from tms.commands import services as commands
from tms.commands.models import Command
from tms.commands.services import Answered
from tms.configuration import delivery, versions
from tms.configuration.delivery import BootReport
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, Layer, TerminalConfiguration
from tms.configuration.places import Place
from tms.configuration.versions import ValueEdit
from tms.fleet.models import Terminal


def key(name: str = "display.brightness", **fields: Any) -> ConfigurationKey:
    fields.setdefault("schema", {"type": "integer", "minimum": 0, "maximum": 100})
    return ConfigurationKey.objects.get_or_create(name=name, defaults=fields)[0]


def version(*edits: ValueEdit) -> ConfigurationVersion:
    return versions.fix(versions.edit(edits, by=None, at=AT), by=None, at=AT)


def fleet_value(value: Any, name: str = "display.brightness") -> ValueEdit:
    return ValueEdit(key(name), Place(Layer.FLEET), value)


def boot(terminal: Terminal, reported: int | None, at: float = 0) -> TerminalConfiguration | None:
    delivery.note_boots([BootReport(terminal.pk, reported)], at=later(at))
    return TerminalConfiguration.objects.filter(pk=terminal.pk).first()


def row(terminal: Terminal) -> TerminalConfiguration:
    return TerminalConfiguration.objects.get(pk=terminal.pk)


def send(terminal: Terminal, wanted: ConfigurationVersion, at: float = 0) -> Command:
    differing = delivery.desire([terminal.pk], wanted, at=later(at))
    assert differing == {terminal.pk}
    delivery.order(differing, by=None, at=later(at), deliver_within_s=60)
    (sent,) = commands.dequeue({terminal.pk: 1}, at=later(at))
    return sent


def answer(command: Command, result: Any = None, error: str = "", at: float = 10) -> None:
    with transaction.atomic():
        commands.record_answers([Answered(command.pk, command.terminal_id, result, error)], at=later(at))
