"""Statements that PostgreSQL plans once for each connection.

Django's cursors send the values inside the statement, which PostgreSQL then plans each time.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import psycopg
from django.db import connection
from django.db.models import Model, QuerySet

PREPARE_AFTER = 5
"""Executions of a statement on a connection, after which it is prepared there."""


type Parameters = Mapping[str, Any] | Sequence[Any]
type DbRow = tuple[Any, ...]
"""Columns of a statement, whose types only the statement knows."""


def run(sql: str, parameters: Parameters) -> list[DbRow]:
    """The rows, if the statement returns any. Raises Django's errors. The names in `sql` must be our own.

    On SQLite as any other statement.
    """
    if connection.vendor == "postgresql":
        with _execute(sql, parameters) as cursor:
            return cursor.fetchall() if cursor.description else []
    with connection.cursor() as other:
        other.execute(sql, parameters)
        rows: list[DbRow] = other.fetchall()
        return rows


def fetch_prepared(sql: str, parameters: Parameters) -> DbRow:
    """The first row. Raises Django's errors. Only on PostgreSQL; the names in `sql` must be our own."""
    with _execute(sql, parameters) as cursor:
        return cursor.fetchone() or ()


KEYS_BEFORE, KEYS_AFTER = "IN (", ")"
"""What the ORM writes around a single key."""


class QueryByKeys:
    """A query for tuples by keys, whose text the ORM makes once: making it takes longer than executing it.

    On PostgreSQL JSON is text.
    """

    def __init__(self, rows: Callable[[Collection[int]], QuerySet[Model, DbRow]]) -> None:
        self._rows = rows

    def __call__(self, keys: Collection[int]) -> Iterable[DbRow]:
        if connection.vendor == "postgresql":
            return run(self._sql, [list(keys)])
        return self._rows(keys)

    @cached_property
    def _sql(self) -> str:
        """Other values are constants, so that the planner knows whether an index with a condition covers them."""
        sql, parameters = self._rows([0]).query.sql_with_params()
        # By its value, because a condition on other columns may be an IN, too.
        position = parameters.index(0) if 0 in parameters else 0
        pieces = sql.split("%s")
        before, after = "%s".join(pieces[: position + 1]), "%s".join(pieces[position + 1 :])
        if parameters[position] != 0 or not before.endswith(KEYS_BEFORE) or not after.startswith(KEYS_AFTER):
            raise TypeError(f"{self._rows!r}: not a query by keys")
        before, after = before.removesuffix(KEYS_BEFORE), after.removeprefix(KEYS_AFTER)
        return _fill(before, parameters[:position]) + "= ANY(%s)" + _fill(after, parameters[position + 1 :])


def _fill(sql: str, constants: Sequence[Any]) -> str:
    for constant in constants:
        if not isinstance(constant, str) or not constant.isidentifier():
            raise TypeError(f"{constant!r}: only the keys may vary")
        sql = sql.replace("%s", f"'{constant}'", 1)
    return sql


@contextmanager
def _execute(sql: str, parameters: Parameters) -> Iterator[psycopg.Cursor]:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.connection.prepare_threshold = PREPARE_AFTER
        cursor.execute(sql, parameters)
        yield cursor
