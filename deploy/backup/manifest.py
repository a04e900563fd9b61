"""What is in a database, counted: it travels beside the backup, and a restored one is compared with it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
import psycopg
from psycopg import sql

from deploy.backup.database import rows

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%%'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
"""Whatever has rows of its own: tables and partitions, but not the partitioned, nor what an extension brings."""

UNPROVEN = """
SELECT c.conrelid::regclass || '.' || c.conname FROM pg_constraint c WHERE NOT c.convalidated
UNION ALL SELECT i.indexrelid::regclass::text FROM pg_index i WHERE NOT i.indisvalid
ORDER BY 1
"""
"""Constraints that were not checked against the rows, and indexes that were not finished."""


class Manifest(msgspec.Struct, frozen=True):
    database: str
    taken_at: datetime
    server: str
    rows: dict[str, int]
    """By table, with its schema."""
    latest_report_at: datetime | None
    migrations: list[tuple[str, str]]
    """App and name, as applied."""
    unproven: list[str]

    @classmethod
    def of(cls, connection: psycopg.Connection[Any]) -> Self:
        """Of what `connection` sees: inside a snapshot, exactly what the dump of that snapshot holds."""
        [(database, taken_at, server)] = rows(
            connection, "SELECT current_database(), now(), current_setting('server_version')"
        )
        tables = rows(connection, TABLES)
        return cls(
            database=database,
            taken_at=taken_at.astimezone(UTC),
            server=server,
            rows={f"{schema}.{table}": _count(connection, schema, table) for schema, table in tables},
            latest_report_at=_latest_report(connection),
            migrations=_migrations(connection),
            unproven=[name for (name,) in rows(connection, UNPROVEN)],
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


def differences(kept: Manifest, found: Manifest) -> Sequence[str]:
    """What `found` has otherwise, in words."""
    told = [
        f"{table} has {found.rows.get(table, 0):,} rows, not {kept.rows.get(table, 0):,}"
        for table in sorted(kept.rows.keys() | found.rows.keys())
        if kept.rows.get(table) != found.rows.get(table)
    ]
    if kept.latest_report_at != found.latest_report_at:
        told.append(f"the latest report is of {found.latest_report_at}, not of {kept.latest_report_at}")
    if kept.migrations != found.migrations:
        told.append("other migrations are applied")
    told += [f"{name} is not valid" for name in found.unproven if name not in kept.unproven]
    return told


def _count(connection: psycopg.Connection[Any], schema: str, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
    [(count,)] = connection.execute(query).fetchall()
    return int(count)


def _latest_report(connection: psycopg.Connection[Any]) -> datetime | None:
    """None when there is none. By arrival: a terminal's clock may be years ahead."""
    if not _has(connection, "telemetry_report"):
        return None
    [(latest,)] = rows(connection, "SELECT max(received_at) FROM telemetry_report")
    return None if latest is None else latest.astimezone(UTC)


def _migrations(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    if not _has(connection, "django_migrations"):
        return []
    return [(app, name) for app, name in rows(connection, "SELECT app, name FROM django_migrations ORDER BY 1, 2")]


def _has(connection: psycopg.Connection[Any], table: str) -> bool:
    [(found,)] = rows(connection, "SELECT to_regclass(%s) IS NOT NULL", [table])
    return bool(found)
