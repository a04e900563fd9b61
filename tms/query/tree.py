"""The tree of a parsed query.

Positions are indexes of characters in the text. Texts that say the same have equal trees.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    IS = ":"
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class TextRange:
    """Characters from `start` to before `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was written. In quotes, `*` is an ordinary character."""

    text: str
    span: TextRange = dataclasses.field(compare=False)
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Text without a field: what the search box searched for before there were queries."""

    text: str
    span: TextRange = dataclasses.field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with values; several values are alternatives."""

    field: str
    field_span: TextRange = dataclasses.field(compare=False)
    operator: Operator
    operator_span: TextRange = dataclasses.field(compare=False)
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    part: "Part"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds if each part holds; always, if it has none."""

    parts: tuple["Part", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Part", ...]


type Part = Words | Comparison | Negation | AllOf | AnyOf
