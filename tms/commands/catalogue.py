"""The catalogue: the commands of TMS and those that customers define, and which of them a terminal is offered."""

from collections.abc import Collection
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language

from tms.commands.kinds import CATALOG, CHANGES, CommandSpec, change_label
from tms.commands.models import Command, CommandDefinition, Danger, TerminalCapabilities
from tms.fleet.models import Terminal
from tms.fleet.sites.names import Bilingual


class Able(NamedTuple):
    """What decides whether a terminal is offered a command."""

    kind: str
    model: str
    supported: frozenset[str] | None
    """What it said at boot; None if it never said anything."""

    def is_offered(self, spec: CommandSpec) -> bool:
        """A terminal that never said what it can do is offered the built-in commands, except those with files, which
        older agents do not know.
        """
        if not spec.suits(self.kind, self.model):
            return False
        return spec.is_builtin and not spec.files if self.supported is None else spec.name in self.supported


def find(name: str) -> CommandSpec | None:
    if name in CATALOG:
        return CATALOG[name]
    definition = _defined().filter(name=name).first() if name.isprintable() else None
    return spec_of(definition) if definition else None


def names() -> list[str]:
    return [*CATALOG, *_defined().values_list("name", flat=True)]


def everything() -> list[CommandSpec]:
    return [*CATALOG.values(), *map(spec_of, _defined())]


def _defined() -> QuerySet[CommandDefinition]:
    """Earlier releases let people define commands of the names of changes."""
    return CommandDefinition.objects.exclude(name__in=CHANGES)


def offered(terminal: Terminal) -> list[CommandSpec]:
    able = able_of([terminal])[terminal.pk]
    return [spec for spec in everything() if able.is_offered(spec)]


def able_of(terminals: Collection[Terminal]) -> dict[int, Able]:
    """What decides it for each terminal, in one query for all of them."""
    of_terminals = TerminalCapabilities.objects.filter(terminal__in=terminals)
    stored = {row.terminal_id: row.supported for row in of_terminals}
    return {each.pk: Able(each.kind, each.model, stored.get(each.pk)) for each in terminals}


def is_dangerous(name: str) -> bool:
    spec = find(name)
    return spec is not None and spec.is_dangerous


def _translate(label: str, label_ja: str) -> str:
    return (label_ja if get_language() == "ja" else "") or label


_label = lazy(_translate, str)


def spec_of(definition: CommandDefinition) -> CommandSpec:
    return CommandSpec(
        definition.name,
        _label(definition.label, definition.label_ja),
        danger=Danger(definition.danger),
        arguments=definition.ordered_arguments,
        kinds=definition.kinds,
        models=definition.terminal_models,
        answer_within_s=definition.answer_within_s,
        max_result_bytes=definition.max_result_bytes,
        files=definition.files,
        file_types=definition.file_types,
        max_file_bytes=definition.max_file_bytes,
        is_builtin=False,
    )


type CommandLabel = str | Bilingual | Promise


def label_of(command: Command) -> CommandLabel:
    """`command` is a row `with_labels`, which has those of commands that customers defined."""
    if command.name in CHANGES:
        return change_label(command.name, command.args)
    if command.name in CATALOG:
        return CATALOG[command.name].label
    label, label_ja = getattr(command, "label", None), getattr(command, "label_ja", None)
    return Bilingual(label, label_ja or "") if label else command.name
