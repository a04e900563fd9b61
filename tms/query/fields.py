"""The fields of a query: one entry defines what a field is called, reads, compares and suggests.

Help, completion, the texts of the API and the tests are made of the same entries.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from enum import Enum, auto
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise

from tms.query.tree import Operator, Value
from tms.query.value_kinds import ValueKind


class MovedBy(Enum):
    """What adds rows to the result of a condition, or removes them."""

    CHANGE = auto()
    """A change of the row, which is an event."""
    TIME = auto()
    READING = auto()
    """Every report may do it."""
    STATUS = auto()
    PRESENCE = auto()
    ALERT = auto()
    PLAN = auto()
    """Opening hours and maintenance begin and end without a change of the row."""


def _as_it_is(found: Q) -> Q:
    return found


@dataclass(frozen=True, slots=True)
class Field:
    """What one condition of a query is about.

    `columns` are paths of lookups, any of which may match. A field of related rows has the columns of those, and
    `related` makes a condition on the listed rows of one on the related rows.
    """

    name: str
    label: str | Promise
    kind: ValueKind
    columns: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    moved_by: MovedBy = MovedBy.CHANGE
    related: Callable[[Q], Q] = _as_it_is
    compare: Callable[[Operator, Any, datetime], Q] | None = None
    """The condition, where it is not the comparison of a column."""
    suggest: Callable[[Any, str], Iterable[str]] | None = None
    """The existing values that a person may see and that begin with a text."""

    def condition(self, operator: Operator, wanted: Any, at: datetime) -> Q:
        if self.compare:
            return self.compare(operator, wanted, at)
        # What has no value has none in any column; any column may have a value that is asked for.
        join = and_ if isinstance(wanted, Value) and not wanted.text else or_
        return self.related(reduce(join, (self.kind.compare(name, operator, wanted, at) for name in self.columns)))


@dataclass(frozen=True, slots=True)
class FieldFamily:
    """Fields that have a name of their own after a prefix: `metric.temperature_c`."""

    prefix: str
    label: str | Promise
    make: Callable[[str], Field | None]
    names: Callable[[Any, str], Iterable[str]]
    """The names that a person may see and that begin with a text."""


class FieldSet:
    """The fields of one kind of rows. Apps add theirs when they are ready.

    `words` is the search for text without a field.
    """

    def __init__(self, *fields: Field, words: Callable[[str], Q]) -> None:
        self.words = words
        self.families: list[FieldFamily] = []
        self._by_name: dict[str, Field] = {}
        self.add(*fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(dict.fromkeys(self._by_name.values()))

    def add(self, *fields: Field) -> None:
        for field in fields:
            for name in (field.name, *field.aliases):
                if self._by_name.setdefault(name, field) != field:
                    raise ValueError(f"two fields of a query are called {name}")

    def add_family(self, family: FieldFamily) -> None:
        self.families.append(family)

    def find(self, name: str) -> Field | None:
        folded = name.casefold()
        if found := self._by_name.get(folded):
            return found
        family = next((family for family in self.families if folded.startswith(family.prefix)), None)
        return family.make(name[len(family.prefix) :]) if family else None

    def nearest(self, name: str) -> str | None:
        """The name that is most like this one; None if none is."""
        found = get_close_matches(name.casefold()[:40], self._by_name, n=1, cutoff=0.6)
        return self._by_name[found[0]].name if found else None
