"""Deletes the rows of a test with real transactions.

Django truncates every table, of which PostgreSQL has a hundred with the partitions, and then recreates the content
types and permissions of the migrations.
"""

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

NOT_FLUSHED = {"django_migrations", "django_content_type", "auth_permission"}
"""The rows that `migrate` writes are the same for each test."""
FLUSHED_ROWS = {"accounts_role": "NOT is_builtin"}
"""The rows to delete from tables that have rows of `migrate` beside those of a test."""


def empty_databases(case: TransactionTestCase) -> None:
    """Replaces `TransactionTestCase._fixture_teardown`."""
    for alias in case._databases_names(include_mirrors=False):
        empty(connections[alias])


def empty(connection: BaseDatabaseWrapper) -> None:
    """Foreign keys are checked after everything is deleted."""
    sources = [_rows_of(table, connection) for table in _tables(connection)]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {source})" for source in sources))
        for source, has_rows in zip(sources, cursor.fetchone(), strict=True):
            if has_rows:
                cursor.execute(f"DELETE FROM {source}")


def _rows_of(table: str, connection: BaseDatabaseWrapper) -> str:
    """The table, and which of its rows a test wrote."""
    quoted = connection.ops.quote_name(table)
    return f"{quoted} WHERE {FLUSHED_ROWS[table]}" if table in FLUSHED_ROWS else quoted


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    return sorted(
        set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - NOT_FLUSHED
    )
