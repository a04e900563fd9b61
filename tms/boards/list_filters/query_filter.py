"""What the filters of lists with a query share: the query is read once, and its mistakes are known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import ClassVar, Self
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone

from tms.query.editing import all_of, condition, only_condition, without
from tms.query.errors import QueryError
from tms.query.fields import FieldSet
from tms.query.query import Query

MAX_QUERY_CHARACTERS = 2_000
NOTHING = Q(pk__in=())


@dataclass(frozen=True)
class QueryFilter:
    """A query, and what else filters a list, as parameters of its URL. A text that is no query selects nothing."""

    q: str = ""

    known: ClassVar[FieldSet]
    """The fields that its queries may have."""

    @cached_property
    def _read(self) -> Query | QueryError:
        return read(self.q, self.known)

    @property
    def condition(self) -> Q:
        """The rows that the query selects now."""
        if isinstance(self._read, QueryError):
            return NOTHING
        return self._read.where(timezone.now()) if self.q else Q()

    @property
    def problem(self) -> QueryError | None:
        """Why the query is none."""
        return self._read if isinstance(self._read, QueryError) else None

    @property
    def corrected(self) -> str:
        """The query with its mistake corrected; empty if nothing is like what was meant."""
        problem = self.problem
        return problem.correction.of(self.q) if problem and problem.correction else ""

    @property
    def used(self) -> Collection[str]:
        """The fields that the query has conditions on."""
        return () if isinstance(self._read, QueryError) else self._read.used

    def chosen(self, field: str) -> tuple[str, ...]:
        """The values of the only condition on a field that all rows meet; none if there is no such condition."""
        found = only_condition(self.q, field)
        return tuple(value.text.casefold() for value in found.values) if found else ()

    def without(self, *names: str) -> Self:
        """The filter without those conditions."""
        found = (only_condition(self.q, name) for name in names)
        return replace(self, q=without(self.q, *filter(None, found)))

    def with_only(self, field: str, *values: str) -> Self:
        """The filter with these values of a field in place of others; with none, without a condition on it."""
        return replace(self, q=all_of(self.without(field).q, condition(field, values) if values else ""))

    @property
    def query(self) -> str:
        """The filter as a query string; equal filters have equal strings."""
        return query_string({field.name: getattr(self, field.name) for field in fields(self)})


def read(text: str, known: FieldSet) -> Query | QueryError:
    """The query that a text is, or why it is none."""
    try:
        return Query.of(text, known)
    except QueryError as error:
        return error


def query_string(given: Mapping[str, str]) -> str:
    """The part of a URL that asks a list. What people type most in queries stays readable."""
    return urlencode([(name, value) for name, value in given.items() if value], safe=":,*")
