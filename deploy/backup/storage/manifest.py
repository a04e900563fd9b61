"""The manifest of a backup: row counts and migrations. A restored database is compared with it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

import msgspec
import psycopg
from psycopg import sql

from deploy.backup.postgresql.database import rows

LEFT_OUT = ("django_session", "usersessions_usersession")
"""Tables whose rows no backup has: people sign in again after a restore, and nobody finds their browsers in a copy."""

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%%'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
"""Tables and partitions that hold rows: no partitioned parents, no tables of extensions."""

NOT_VALIDATED = """
SELECT c.conrelid::regclass || '.' || c.conname FROM pg_constraint c WHERE NOT c.convalidated
UNION ALL SELECT i.indexrelid::regclass::text FROM pg_index i WHERE NOT i.indisvalid
ORDER BY 1
"""
"""Constraints that are not validated, and indexes that are not valid."""


class Manifest(msgspec.Struct, frozen=True):
    database: str
    taken_at: datetime
    server: str
    rows: dict[str, int]
    """Row counts by `schema.table`."""
    latest_report_at: datetime | None
    migrations: list[tuple[str, str]]
    """App and name, as applied."""
    unproven: list[str]

    @classmethod
    def of(cls, connection: psycopg.Connection) -> Self:
        """The manifest of the rows that `connection` sees: in a snapshot, exactly those of its dump."""
        [(database, taken_at, server)] = rows(
            connection, "SELECT current_database(), now(), current_setting('server_version')"
        )
        tables = rows(connection, TABLES)
        return cls(
            database=database,
            taken_at=taken_at.astimezone(UTC),
            server=server,
            rows={
                f"{schema}.{table}": _count(connection, schema, table)
                for schema, table in tables
                if table not in LEFT_OUT
            },
            latest_report_at=_latest_report(connection),
            migrations=_migrations(connection),
            unproven=[name for (name,) in rows(connection, NOT_VALIDATED)],
        )

    @classmethod
    def read(cls, text: str) -> Self:
        return msgspec.json.decode(text, type=cls)

    @property
    def text(self) -> str:
        return json.dumps(msgspec.to_builtins(self), indent=1, sort_keys=True) + "\n"

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def differences(expected: Manifest, found: Manifest) -> Sequence[str]:
    """How `found` differs from `expected`, in words."""
    tables = expected.rows.keys() | found.rows.keys()
    changes = [
        f"{table} has {found.rows.get(table, 0):,} rows, not {expected.rows.get(table, 0):,}"
        for table in sorted(tables)
        if expected.rows.get(table) != found.rows.get(table)
    ]
    if expected.latest_report_at != found.latest_report_at:
        changes.append(f"the latest report is of {found.latest_report_at}, not of {expected.latest_report_at}")
    if expected.migrations != found.migrations:
        changes.append("other migrations are applied")
    changes += [f"{name} is not valid" for name in found.unproven if name not in expected.unproven]
    return changes


def _count(connection: psycopg.Connection, schema: str, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
    [(count,)] = connection.execute(query).fetchall()
    return int(count)


def _latest_report(connection: psycopg.Connection) -> datetime | None:
    """When the latest report arrived; None if there is none. A terminal's clock may be years ahead."""
    if not _has(connection, "telemetry_report"):
        return None
    [(latest,)] = rows(connection, "SELECT max(received_at) FROM telemetry_report")
    return None if latest is None else latest.astimezone(UTC)


def _migrations(connection: psycopg.Connection) -> list[tuple[str, str]]:
    if not _has(connection, "django_migrations"):
        return []
    return [(app, name) for app, name in rows(connection, "SELECT app, name FROM django_migrations ORDER BY 1, 2")]


def _has(connection: psycopg.Connection, table: str) -> bool:
    [(found,)] = rows(connection, "SELECT to_regclass(%s) IS NOT NULL", [table])
    return bool(found)
