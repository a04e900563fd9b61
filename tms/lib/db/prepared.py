"""Statements that PostgreSQL plans once for each connection.

Django's cursors send the values inside the statement, which PostgreSQL then plans each time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

PREPARE_AFTER = 5
"""Executions of a statement on a connection, after which it is prepared there."""


def fetch_prepared(sql: str, parameters: Mapping[str, Any] | Sequence[Any]) -> tuple[Any, ...]:
    """The first row. Raises Django's errors. Only on PostgreSQL; the names in `sql` must be our own."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.connection.prepare_threshold = PREPARE_AFTER
        cursor.execute(sql, parameters)
        return cursor.fetchone() or ()
