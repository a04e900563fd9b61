"""Two databases of one server change places by their names. Nothing is copied, and nothing is dropped."""

import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from deploy.backup.database import Database, rows
from deploy.backup.failure import BackupFailed

MAINTENANCE = "postgres"
"""A database cannot be renamed by who is in it."""
LET_GO_MS = 10_000

END = """
SELECT pid, pg_terminate_backend(pid, %s) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE datname = ANY(%s) AND pid <> pg_backend_pid()
  AND (NOT r.rolsuper OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))
"""
"""Whoever has a name, for PostgreSQL's own workers have none and make way by themselves; but not a superuser, whom only
another one may end. On RDS that is `rdsadmin`, who looks in now and then, and goes again."""

RENAMES, PAUSE_S = 20, 0.5
"""So often the names are tried, until those have gone whom we may not end."""


def swap(database: Database, new: str) -> str:
    """Put `new` where `database` is; the name under which that is kept. Raises Failed, and then nothing has changed.

    Nobody may come in while the names move. Both move in one transaction: there is no moment without a database.
    """
    kept = f"{database.name}_before_{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"  # a swap may be undone within its second
    with database.named(MAINTENANCE).connect() as connection:
        _must_exist(connection, new)
        try:
            _let_in(connection, database.name, new, allowed=False)
            _end_connections(connection, [database.name, new])
            _exchange(connection, database.name, new, kept)
        finally:
            _let_in(connection, database.name, new, kept, allowed=True)
    return kept


def _exchange(connection: psycopg.Connection[Any], name: str, new: str, kept: str) -> None:
    for left in reversed(range(RENAMES)):
        try:
            with connection.transaction():
                _rename(connection, name, kept)
                _rename(connection, new, name)
        except psycopg.errors.ObjectInUse:
            if not left:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def newest_kept(database: Database) -> str:
    """What was swapped out last. Raises Failed when nothing was. Older releases named it to the second."""
    with database.named(MAINTENANCE).connect() as connection:
        pattern = f"^{database.name}_before_[0-9]{{8}}_[0-9]{{6}}(_[0-9]{{6}})?$"
        found = rows(connection, "SELECT datname FROM pg_database WHERE datname ~ %s ORDER BY 1 DESC", [pattern])
    if not found:
        raise BackupFailed(f"no database {database.name}_before_… is there: nothing was swapped out")
    return str(found[0][0])


def create(database: Database, new: str) -> None:
    """Empty, with the encoding and the order of letters of `database`."""
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


def _must_exist(connection: psycopg.Connection[Any], name: str) -> None:
    if not _exists(connection, name):
        raise BackupFailed(f"there is no database {name}")


def _exists(connection: psycopg.Connection[Any], name: str) -> bool:
    return bool(rows(connection, "SELECT 1 FROM pg_database WHERE datname = %s", [name]))


def _let_in(connection: psycopg.Connection[Any], *names: str, allowed: bool) -> None:
    for name in names:
        if _exists(connection, name):
            query = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
            connection.execute(query.format(sql.Identifier(name), sql.Literal(allowed)))


def _end_connections(connection: psycopg.Connection[Any], names: list[str]) -> None:
    staying = [pid for pid, ended in rows(connection, END, [LET_GO_MS, names]) if not ended]
    if staying:
        raise BackupFailed(
            f"the connections {', '.join(map(str, staying))} did not end within {LET_GO_MS / 1000:.0f} s"
        )


def _rename(connection: psycopg.Connection[Any], name: str, new: str) -> None:
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new)))
