"""The database role of TMS. The master user of RDS creates it, and is then left to people."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import psycopg
from psycopg import Connection, sql

from tms.config.database import CONNECT_S
from tms.config.database_secret import SecretUnreadable, read_secret

LOCK = 0x746D73_726F6C65
"""The ASCII text "tmsrole". Machines that start at the same time create the role one after the other."""
LOCK_TIMEOUT_MS = 10_000
"""Timeout for a table that is locked when it changes its owner."""


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> Self:
        """The role that Secrets Manager has under the name `secret`. Raises SecretUnreadable."""
        try:
            content = json.loads(read_secret(secret))
            return cls(str(content["username"]), str(content["password"]))
        except (ValueError, KeyError, TypeError):
            raise SecretUnreadable(f'{secret}: expected {{"username": …, "password": …}}, as RDS keeps it') from None


def ensure_role(url: str, *, role: Login, master: Callable[[], Login]) -> bool:
    """Make `role` the owner of the database and of everything in it. Returns whether anything had to be done.

    `master` is called only then: a role that can sign in and owns the database does not need it, so machines may lack
    the permission to read its secret. Raises psycopg.Error or SecretUnreadable.
    """
    if _is_ready(url, role):
        return False
    owner = master()
    if role.user == owner.user:
        return False
    with _connect(url, owner) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT_MS)))
        _make(connection, role)
        _hand_over(connection, role)
    return True


def _connect(url: str, login: Login) -> Connection:
    return psycopg.connect(url, user=login.user, password=login.password, connect_timeout=int(CONNECT_S))


def _is_ready(url: str, role: Login) -> bool:
    try:
        with _connect(url, role) as connection:
            [row] = connection.execute(
                "SELECT bool_and(owner = current_user::regrole) FROM ("
                "SELECT datdba AS owner FROM pg_database WHERE datname = current_database() UNION "
                "SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS owners"
            ).fetchall()
            return bool(row[0])
    except psycopg.OperationalError:
        return False  # it does not exist yet, or its password was changed


def _make(connection: Connection, role: Login) -> None:
    """Create or change the role with a verifier of its password, so that the password itself is in no statement log."""
    verifier = connection.pgconn.encrypt_password(role.password.encode(), role.user.encode(), b"scram-sha-256")
    is_there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.user]).fetchone()
    connection.execute(
        # CREATEDB: a restore creates a database beside the current one
        sql.SQL("{} ROLE {} LOGIN CREATEDB PASSWORD {}").format(
            sql.SQL("ALTER" if is_there else "CREATE"), sql.Identifier(role.user), sql.Literal(verifier.decode())
        )
    )
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role.user)))


def _hand_over(connection: Connection, role: Login) -> None:
    """Objects that the master created, before TMS had a role of its own, become the role's."""
    owner = sql.Identifier(role.user)
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(connection.info.dbname), owner))
    theirs = connection.execute("SELECT 1 FROM pg_class WHERE relowner = current_user::regrole LIMIT 1").fetchone()
    if theirs:
        connection.execute(sql.SQL("REASSIGN OWNED BY CURRENT_USER TO {}").format(owner))
