"""Statements that PostgreSQL plans once for each connection.

Django's cursors send the values inside the statement, which PostgreSQL then plans each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

PREPARE_AFTER = 5
"""Executions of a statement on a connection, after which it is prepared there."""


type Parameters = Mapping[str, Any] | Sequence[Any]


def run(sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """The rows, if the statement returns any. Raises Django's errors. The names in `sql` must be our own.

    On SQLite as any other statement.
    """
    if connection.vendor == "postgresql":
        with _executed(sql, parameters) as cursor:
            return cursor.fetchall() if cursor.description else []
    with connection.cursor() as other:
        other.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = other.fetchall()
        return rows


def fetch_prepared(sql: str, parameters: Parameters) -> tuple[Any, ...]:
    """The first row. Raises Django's errors. Only on PostgreSQL; the names in `sql` must be our own."""
    with _executed(sql, parameters) as cursor:
        return cursor.fetchone() or ()


@contextmanager
def _executed(sql: str, parameters: Parameters) -> Iterator[psycopg.Cursor]:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.connection.prepare_threshold = PREPARE_AFTER
        cursor.execute(sql, parameters)
        yield cursor
