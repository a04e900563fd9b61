"""A query whose fields and values are known: it selects rows by one SQL statement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Self

from django.db.models import Q
from django.utils.translation import gettext

from tms.query.errors import QueryError
from tms.query.fields import Field, FieldSet
from tms.query.parser import parse
from tms.query.tree import AllOf, AnyOf, Comparison, Negation, Part, TextRange, Words

type Predicate = Callable[[datetime], Q]


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    used: Mapping[str, TextRange]
    """The fields that it has conditions on, by name, and where each stands first."""
    words: TextRange | None
    """Where it has text without a field."""
    where: Predicate
    """The condition on rows at an instant."""

    @classmethod
    def of(cls, text: str, fields: FieldSet) -> Self:
        """The query that a text says. Raises QueryError at the first mistake."""
        _check_characters(text)
        binder = Binder(fields)
        predicate = binder.bind(parse(text))
        return cls(text, binder.used, binder.words, predicate)


class Binder:
    """Finds the fields of a tree and reads its values, once; the result is asked for each instant."""

    def __init__(self, fields: FieldSet) -> None:
        self._fields = fields
        self.used: dict[str, TextRange] = {}
        self.words: TextRange | None = None

    def bind(self, part: Part) -> Predicate:
        # Recursion is safe: the parser bounds how deep parts are within each other.
        match part:
            case Words(text=text, span=span):
                self.words = self.words or span
                found = self._fields.words(text) if text else Q()
                return lambda at: found
            case Comparison():
                return self._bind_condition(part)
            case Negation(part=excluded):
                inner = self.bind(excluded)
                return lambda at: ~inner(at)
            case AllOf(parts=parts):
                every = [self.bind(each) for each in parts]
                return lambda at: reduce(and_, (each(at) for each in every), Q())
            case AnyOf(parts=parts):
                some = [self.bind(each) for each in parts]
                return lambda at: reduce(or_, (each(at) for each in some))

    def _bind_condition(self, condition: Comparison) -> Predicate:
        field = self._field(condition)
        if condition.operator not in field.kind.operators:
            problem = gettext("“%(field)s” cannot be compared with %(operator)s.")
            named = {"field": field.name, "operator": condition.operator}
            raise QueryError(problem % named, condition.operator_span, correction=":")
        wanted = [field.kind.read(value) for value in condition.values]
        self.used.setdefault(field.name, condition.field_span)
        return lambda at: reduce(or_, (field.condition(condition.operator, each, at) for each in wanted))

    def _field(self, condition: Comparison) -> Field:
        if found := self._fields.find(condition.field):
            return found
        problem = gettext("There is no field “%(name)s”.") % {"name": condition.field[:40]}
        examples = tuple(field.name for field in self._fields)
        raise QueryError(problem, condition.field_span, examples, self._fields.nearest(condition.field))


def _check_characters(text: str) -> None:
    """Refuse what no database stores: U+0000 and halves of surrogate pairs."""
    for at, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise QueryError(
                gettext("The query contains a character that is none."), TextRange(at, at + 1), correction=""
            )
