"""Checks for work that is mostly not there, and passes of the clock that need them."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from functools import cached_property, update_wrapper
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet

from tms.lib.db.prepared import fetch_prepared

type Pass = Callable[[datetime], int | None]
type Rows = Callable[[datetime], QuerySet[Model]]

COMPILED_FOR = datetime(2000, 1, 1, tzinfo=UTC)
"""Conditions are compiled for this time; their parameters are moved to the time of the check."""


class ExistsClause(NamedTuple):
    """SQL that is true if there are rows, with its parameters at `COMPILED_FOR`."""

    sql: str
    parameters: tuple[Any, ...]

    def parameters_at(self, at: datetime) -> list[object]:
        moved_by = at - COMPILED_FOR
        return [value + moved_by if isinstance(value, datetime) else value for value in self.parameters]


class RowCheck:
    """Whether any of `rows` has a row.

    Each must return the same query at any time, except for instants at a fixed distance from the given one.
    """

    def __init__(self, *rows: Rows) -> None:
        self._rows = rows

    def has_rows(self, at: datetime) -> bool:
        """Whether there are rows, by one query of Django for each of `rows`."""
        return any(rows(at).exists() for rows in self._rows)

    @cached_property
    def condition(self) -> ExistsClause:
        """The same question for PostgreSQL, compiled once."""
        parts = [_exists(rows(COMPILED_FOR)) for rows in self._rows]
        parameters = tuple(value for part in parts for value in part.parameters)
        if any(isinstance(value, date) and not isinstance(value, datetime) for value in parameters):
            raise TypeError(f"{self._rows!r}: whether there are rows must not depend on a date")
        return ExistsClause(f"({' OR '.join(part.sql for part in parts)})", parameters)


class OccasionalPass(RowCheck):
    """A pass that does something only if any of `rows` has a row. Otherwise it costs one query and no transaction."""

    def __init__(self, work: Pass, rows: Sequence[Rows], *, when_idle: Callable[[], None] = lambda: None) -> None:
        super().__init__(*rows)
        update_wrapper(self, work)
        self.work = work
        """The pass, without the check."""
        self.when_idle = when_idle
        """Called instead of the pass if there are no rows."""

    def __call__(self, at: datetime) -> int | None:
        if with_rows([self], at):
            return self.work(at)
        self.when_idle()
        return 0


def skip_when_empty(*rows: Rows) -> Callable[[Pass], OccasionalPass]:
    """Run a pass only if any of `rows` has a row; see `RowCheck`."""
    return lambda work: OccasionalPass(work, rows)


def with_rows[C: RowCheck](checks: Collection[C], at: datetime) -> set[C]:
    """The checks that have rows: on PostgreSQL by one prepared statement for all."""
    if connection.vendor != "postgresql":
        return {each for each in checks if each.has_rows(at)}
    if not checks:
        return set()
    sql = "SELECT " + ", ".join(each.condition.sql for each in checks)
    found = fetch_prepared(sql, [value for each in checks for value in each.condition.parameters_at(at)])
    return {each for each, is_found in zip(checks, found, strict=True) if is_found}


def _exists(rows: QuerySet[Model]) -> ExistsClause:
    try:
        sql, parameters = rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return ExistsClause("FALSE", ())
    return ExistsClause(f"EXISTS ({sql})", parameters)
