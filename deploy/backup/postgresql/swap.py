"""Swaps two databases of one server by renaming them. Nothing is copied or dropped."""

import time
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from deploy.backup.failure import BackupFailed
from deploy.backup.postgresql.database import Database, rows

MAINTENANCE = "postgres"
"""A database cannot be renamed over a connection to it."""
TERMINATE_TIMEOUT_MS = 10_000

TERMINATE = """
SELECT pid, pg_terminate_backend(pid, %s) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE datname = ANY(%s) AND pid <> pg_backend_pid()
  AND (NOT r.rolsuper OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))
"""
"""Connections with a role: PostgreSQL's own workers have none and end by themselves. Only a superuser may end those of
a superuser; on RDS that is `rdsadmin`, whose connections are short."""
CONNECTED = "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s) AND datname = ANY(%s)"

RENAME_ATTEMPTS, PAUSE_S = 20, 0.5
"""Attempts to rename, while connections last that we may not end."""


def swap(database: Database, new: str) -> str:
    """Give `new` the name of `database`; returns the new name of that. Raises BackupFailed; then nothing has changed.

    New connections are rejected meanwhile. Both renames are in one transaction: there is no moment without a database.
    """
    retired = f"{database.name}_before_{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"  # a swap may be undone within its second
    with database.named(MAINTENANCE).connect() as connection:
        _must_exist(connection, new)
        try:
            _allow_connections(connection, database.name, new, allowed=False)
            _end_connections(connection, [database.name, new])
            _exchange(connection, database.name, new, retired)
        finally:
            _allow_connections(connection, database.name, new, retired, allowed=True)
    return retired


def _exchange(connection: psycopg.Connection, name: str, new: str, retired: str) -> None:
    for left in reversed(range(RENAME_ATTEMPTS)):
        try:
            with connection.transaction():
                _rename(connection, name, retired)
                _rename(connection, new, name)
        except psycopg.errors.ObjectInUse:
            if not left:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def newest_retired(database: Database) -> str:
    """The database that was swapped out last. Raises BackupFailed if there is none."""
    with database.named(MAINTENANCE).connect() as connection:
        pattern = f"^{database.name}_before_[0-9]{{8}}_[0-9]{{6}}_[0-9]{{6}}$"
        found = rows(connection, "SELECT datname FROM pg_database WHERE datname ~ %s ORDER BY 1 DESC", [pattern])
    if not found:
        raise BackupFailed(f"no database {database.name}_before_… exists: nothing was swapped out")
    return str(found[0][0])


def create(database: Database, new: str) -> None:
    """Create an empty database with the encoding and collation of `database`."""
    with database.named(MAINTENANCE).connect() as connection:
        [(encoding, collate, ctype)] = rows(
            connection,
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s",
            [database.name],
        )
        query = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}")
        connection.execute(
            query.format(sql.Identifier(new), sql.Literal(encoding), sql.Literal(collate), sql.Literal(ctype))
        )


def _must_exist(connection: psycopg.Connection, name: str) -> None:
    if not _exists(connection, name):
        raise BackupFailed(f"there is no database {name}")


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return bool(rows(connection, "SELECT 1 FROM pg_database WHERE datname = %s", [name]))


def _allow_connections(connection: psycopg.Connection, *names: str, allowed: bool) -> None:
    for name in names:
        if _exists(connection, name):
            query = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
            connection.execute(query.format(sql.Identifier(name), sql.Literal(allowed)))


def _end_connections(connection: psycopg.Connection, names: list[str]) -> None:
    not_ended = [pid for pid, ended in rows(connection, TERMINATE, [TERMINATE_TIMEOUT_MS, names]) if not ended]
    # PostgreSQL also says so of a connection that had ended by itself by then.
    remaining = [pid for (pid,) in rows(connection, CONNECTED, [not_ended, names])] if not_ended else []
    if remaining:
        raise BackupFailed(
            f"the connections {', '.join(map(str, remaining))} did not end within {TERMINATE_TIMEOUT_MS / 1000:.0f} s"
        )


def _rename(connection: psycopg.Connection, name: str, new: str) -> None:
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new)))
