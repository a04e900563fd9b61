"""The columns of a list of terminals: those of its URL, or else those that the person chose before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.http import QueryDict

from tms.accounts.access import Person
from tms.boards.columns.terminals import (
    ATTRIBUTE,
    DEFAULT_COLUMNS,
    TERMINAL_COLUMNS,
    TerminalColumn,
    attribute_column,
    chosen_columns,
)
from tms.fleet.models import Attribute, AttributeType

MAX_ATTRIBUTES = 50
SEPARATOR = ","
MAX_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class TerminalLayout:
    names: tuple[str, ...] = DEFAULT_COLUMNS
    is_given: bool = False
    """Whether the URL names them. Then it keeps doing so, also if they are those of the person."""

    @classmethod
    def of(cls, query: QueryDict, *, person: Person) -> Self:
        """Read the definitions of attributes only if one is named."""
        if given := _read(SEPARATOR.join(query.getlist("columns"))):
            return cls(given, is_given=True)
        return cls(_read(getattr(person, "terminal_columns", "")) or DEFAULT_COLUMNS)

    @property
    def parameter(self) -> str:
        """Its value in the URL; empty for the default, unless the URL named it."""
        return SEPARATOR.join(self.names) if self.is_given else self.remembered

    @property
    def remembered(self) -> str:
        """What is stored for a person; empty for the default, so that they get a better one."""
        return SEPARATOR.join(self.names) if self.names != DEFAULT_COLUMNS else ""

    @property
    def extras(self) -> tuple[str, ...]:
        """The columns that need another query."""
        return tuple(name for name in self.names if name.startswith(ATTRIBUTE) or TERMINAL_COLUMNS[name].is_extra)

    def columns(self, known: Mapping[str, TerminalColumn] | None = None) -> list[TerminalColumn]:
        """Its columns, of those that are `known`: an attribute may have been deleted since."""
        known = known or known_columns(self.names)
        return [known[name] for name in self.names if name in known]


def known_columns(names: tuple[str, ...] | None = None) -> Mapping[str, TerminalColumn]:
    """All columns that there are; with `names`, attributes are read only if one is among them."""
    if names is not None and not any(name.startswith(ATTRIBUTE) for name in names):
        return TERMINAL_COLUMNS
    found = Attribute.objects.order_by("name")[:MAX_ATTRIBUTES]
    columns = (
        attribute_column(f"{ATTRIBUTE}{one.name}", one, is_number=one.type == AttributeType.NUMBER) for one in found
    )
    return {**TERMINAL_COLUMNS, **{column.name: column for column in columns}}


def _read(text: str) -> tuple[str, ...]:
    names = tuple(text[:MAX_CHARACTERS].split(SEPARATOR))
    return chosen_columns(names, known_columns(names))
