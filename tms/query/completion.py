"""Completion of a query while somebody types: what may stand at the cursor, and what it means.

It reads backwards from the cursor and needs no valid query.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.utils.functional import Promise

from tms.query.fields import Field, FieldSet
from tms.query.parser import MAX_CHARACTERS
from tms.query.tree import Operator, TextRange
from tms.query.value_kinds import ChoiceKind

MAX_SUGGESTIONS = 10
MAX_WORD_CHARACTERS = 100
UNFINISHED_VALUE = re.compile(
    r"(?P<field>[^\W\d][\w.-]*)\s*(?P<operator><=|>=|[:<>=：＜＞＝])\s*"
    r"(?P<before>(?:(?:\"(?:[^\"]|\"\")*\"|[^\s()（）\",、]+)[,、]\s*)*)(?P<value>\"(?:[^\"]|\"\")*|[^\s()（）\",、]*)$"
)
UNFINISHED_WORD = re.compile(r"(?:^|(?<=[\s()（）]))-?(?P<word>[^\s()（）\":<>=：＜＞＝]*)$")
NEEDS_QUOTES = re.compile(r"[\s()（）\",、*]")


@dataclass(frozen=True, slots=True)
class Completion:
    """Text that may replace the characters of `span`."""

    text: str
    detail: str | Promise
    span: TextRange


def complete(text: str, cursor: int, fields: FieldSet, person: Any) -> list[Completion]:
    """What may stand at the cursor and does not yet, the likeliest first. Values are those that the person may see."""
    cursor = min(max(cursor, 0), len(text), MAX_CHARACTERS)
    start = max(0, cursor - MAX_WORD_CHARACTERS)
    found = (
        each
        for each in _begun(text[start:cursor], start, fields, person)
        if each.text != text[each.span.start : each.span.end]
    )
    return list(islice(found, MAX_SUGGESTIONS))


def _begun(read: str, start: int, fields: FieldSet, person: Any) -> Iterable[Completion]:
    """What the text before the cursor, which begins at `start`, may go on with."""
    if found := UNFINISHED_VALUE.search(read):
        span = TextRange(start + found.start("value"), start + len(read))
        field, begun = fields.find(found["field"]), found["value"].removeprefix('"').replace('""', '"')
        return _values(field, begun, span, person) if field else ()
    if found := UNFINISHED_WORD.search(read):
        return _fields(found["word"], fields, TextRange(start + found.start("word"), start + len(read)), person)
    return ()


def _values(field: Field, begun: str, span: TextRange, person: Any) -> Iterator[Completion]:
    folded = begun.casefold()
    if isinstance(field.kind, ChoiceKind):
        for name in field.kind.names:
            if name.startswith(folded):
                yield Completion(name, field.kind.labels.get(name, ""), span)
    elif field.suggest:
        for value in field.suggest(person, begun):
            yield Completion(quoted(value), field.label, span)
    else:
        yield from (Completion(value, field.label, span) for value in field.kind.examples if value.startswith(folded))


def _fields(begun: str, fields: FieldSet, span: TextRange, person: Any) -> Iterator[Completion]:
    folded = begun.casefold()
    for field in fields:
        if field.name.startswith(folded) or any(alias.startswith(folded) for alias in field.aliases):
            yield Completion(field.name + Operator.IS, field.label, span)
    for family in fields.families:
        if folded.startswith(family.prefix):
            for name in family.names(person, begun[len(family.prefix) :]):
                yield Completion(f"{family.prefix}{name}", family.label, span)
        elif family.prefix.startswith(folded):
            yield Completion(family.prefix, family.label, span)


def quoted(value: str) -> str:
    """The value as it has to be written in a query."""
    return f'"{value.replace('"', '""')}"' if not value or NEEDS_QUOTES.search(value) else value
