"""Services for commands that customers define."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from tms.accounts.audit import recorder
from tms.commands.argument_schemas import BadSchema, check_schema, faults
from tms.commands.kinds import CATALOG, CHANGES, MAX_FILE_BYTES, MAX_FILES, MAX_RESULT_BYTES, NO_ARGUMENTS
from tms.commands.models import CommandDefinition, Danger
from tms.commands.services import MAX_ANSWER_S
from tms.commands.uses import may_be_job, uses_of
from tms.fleet.models import TerminalKind

MAX_DEFINITIONS = 200
MAX_LISTED = 50
MAX_LABEL, MAX_MODEL = 100, 64
MAX_EXAMPLES = 10
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
RESERVED = frozenset(("new",))
"""Addresses of pages."""
MAX_TYPES = 10
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,49}/[a-z0-9][a-z0-9.+-]{0,49}")


class TooManyDefinitions(ValueError):
    code = "tms:too-many-commands"

    def __init__(self) -> None:
        super().__init__(f"there are {MAX_DEFINITIONS} defined commands, as many as are allowed; delete one first")


class CommandInUse(Exception):
    """Jobs that are planned or going on need the command."""

    code = "tms:command-in-use"

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{number} open jobs send {name}; cancel them, or wait until they have finished")


class JobsWouldStop(Exception):
    """Open jobs cannot use the command as it would be. They stop at their next run."""

    def __init__(self, number: int) -> None:
        what = f"{number} open jobs cannot send the command as it would be, and stop at their next run"
        super().__init__(f'{what}; to change it anyway, send "confirm": {number}')
        self.number = number


@dataclass(frozen=True, slots=True)
class DefinitionValues:
    label: str
    label_ja: str = ""
    arguments: dict[str, Any] = field(default_factory=lambda: dict(NO_ARGUMENTS))
    arguments_text: str = ""
    """The JSON of `arguments` as a person wrote it; empty for a usual layout."""
    kinds: Sequence[str] = ()
    terminal_models: Sequence[str] = ()
    danger: Danger = Danger.NONE
    answer_within_s: float = 30.0
    max_result_bytes: int = 4096
    files: int = 0
    file_types: Sequence[str] = ()
    max_file_bytes: int = MAX_FILE_BYTES


def define(name: str, values: DefinitionValues) -> CommandDefinition:
    """A new command. Raises ValidationError, TooManyDefinitions, and IntegrityError if the name is taken."""
    errors = _errors(values)
    if not NAME.fullmatch(name):
        errors["name"] = "1 to 64 characters a-z, 0-9, - and _, beginning with a letter"
    elif name in CATALOG | CHANGES:
        errors["name"] = f"{name} is a command of TMS; choose another name"
    elif name in RESERVED:
        errors["name"] = f"{name} is the address of a page; choose another name"
    _raise(errors)
    with transaction.atomic():
        _demand_room()
        made = CommandDefinition(name=name)
        with recorder.change(made):
            _save(made, values)
    return made


def change(definition: CommandDefinition, values: DefinitionValues, *, confirm: int | str | None = None) -> None:
    """Commands that were queued before stay as they are.

    Raises ValidationError, and JobsWouldStop unless `confirm` is the number of these jobs.
    """
    _raise(_errors(values))
    number = _stopped_jobs(definition, values)
    if number and str(confirm) != str(number):
        raise JobsWouldStop(number)
    with recorder.change(definition):
        _save(definition, values)


@transaction.atomic
def delete(definition: CommandDefinition) -> None:
    """Commands that were queued before stay. Raises CommandInUse."""
    if number := len(uses_of(definition.name)):
        raise CommandInUse(definition.name, number)
    recorder.record("deleted", definition)
    definition.delete()


def _stopped_jobs(definition: CommandDefinition, values: DefinitionValues) -> int:
    """How many open jobs may send the command as it is, but not as it would be."""
    before, after = (definition.danger, definition.arguments), (values.danger, values.arguments)
    uses = uses_of(definition.name)
    return sum(may_be_job(*before, use.arguments) and not may_be_job(*after, use.arguments) for use in uses)


def _save(definition: CommandDefinition, values: DefinitionValues) -> None:
    for name in DefinitionValues.__dataclass_fields__:
        setattr(definition, name, getattr(values, name))
    definition.kinds, definition.terminal_models = list(values.kinds), list(values.terminal_models)
    definition.arguments_text = values.arguments_text or json.dumps(values.arguments, ensure_ascii=False, indent=2)
    definition.file_types = list(values.file_types)
    definition.save()


def _demand_room() -> None:
    if connection.vendor == "postgresql":  # of two at once, each would count without the other
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {CommandDefinition._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
    if CommandDefinition.objects.count() >= MAX_DEFINITIONS:
        raise TooManyDefinitions


def _raise(errors: dict[str, str]) -> None:
    if errors:
        raise ValidationError({name: [text] for name, text in errors.items()})


def _errors(values: DefinitionValues) -> dict[str, str]:
    found = {
        "label": "" if 1 <= len(values.label) <= MAX_LABEL else f"1 to {MAX_LABEL} characters",
        "label_ja": "" if len(values.label_ja) <= MAX_LABEL else f"at most {MAX_LABEL} characters",
        "arguments": _schema_error(values.arguments),
        "kinds": _unknown(values.kinds, TerminalKind.values),
        "terminal_models": _model_error(values.terminal_models),
        "answer_within_s": ""
        if 1 <= values.answer_within_s <= MAX_ANSWER_S
        else f"from 1 to {MAX_ANSWER_S:.0f} seconds",
        "max_result_bytes": ""
        if 1 <= values.max_result_bytes <= MAX_RESULT_BYTES
        else f"from 1 to {MAX_RESULT_BYTES} bytes",
        **_file_errors(values),
    }
    return {name: text for name, text in found.items() if text}


def _file_errors(values: DefinitionValues) -> dict[str, str]:
    return {
        "files": "" if 0 <= values.files <= MAX_FILES else f"from 0 to {MAX_FILES}",
        "file_types": file_type_error(values.file_types, is_needed=values.files > 0),
        "max_file_bytes": "" if 1 <= values.max_file_bytes <= MAX_FILE_BYTES else f"from 1 to {MAX_FILE_BYTES} bytes",
    }


def file_type_error(chosen: Sequence[str], *, is_needed: bool) -> str:
    if len(chosen) <= MAX_TYPES and all(map(MEDIA_TYPE.fullmatch, chosen)) and (chosen or not is_needed):
        return ""
    least = "1 to" if is_needed else "at most"
    return f"{least} {MAX_TYPES} media types such as text/plain, in lower case"


def _schema_error(schema: object) -> str:
    try:
        check_arguments(schema)
    except BadSchema as error:
        return str(error)
    return ""


def check_arguments(schema: Any) -> None:
    """A schema must fit its own `examples`, and has at most `MAX_EXAMPLES`. Raises BadSchema."""
    check_schema(schema)
    examples = schema.get("examples", [])
    if len(examples) > MAX_EXAMPLES:
        raise BadSchema("$.examples", f"has {len(examples)} entries; at most {MAX_EXAMPLES} are allowed")
    for number, example in enumerate(examples):
        if fault := faults(schema, example):
            raise BadSchema(f"$.examples[{number}]", f"does not fit the schema: {fault}")


def _unknown(chosen: Sequence[str], known: Collection[str]) -> str:
    unknown = [each for each in chosen if each not in known]
    return f"unknown: {', '.join(unknown[:5])}; use {', '.join(known)}" if unknown else ""


def _model_error(chosen: Sequence[str]) -> str:
    if len(chosen) <= MAX_LISTED and all(1 <= len(each) <= MAX_MODEL and each.isprintable() for each in chosen):
        return ""
    return f"at most {MAX_LISTED} models of 1 to {MAX_MODEL} printable characters"
