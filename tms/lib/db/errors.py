"""Distinguishes errors of one statement or row from a database that cannot be used at all."""

import sqlite3

import psycopg
from django.db import DataError, IntegrityError, InterfaceError, NotSupportedError, OperationalError, ProgrammingError

OF_ONE_STATEMENT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)

AWAY_CLASSES = frozenset({"08", "28", "3D", "53", "57", "58"})
"""Classes of SQLSTATE: connection, authorisation, no such database, resources (a full disk), shutdown, system error."""
READ_ONLY = "25006"
QUERY_CANCELED = "57014"
"""A statement timeout, which affects this statement only."""

ALONE_ON_SQLITE = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_RANGE,
    }
)
"""SQLite raises OperationalError also for malformed JSON or an integer overflow in one row."""


def is_database_away(error: BaseException) -> bool:
    """Whether every other statement would fail too: no connection, a full disk, a read-only server."""
    if isinstance(error, InterfaceError):
        return True
    if isinstance(error, OF_ONE_STATEMENT):
        return False
    cause = error.__cause__
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        state = cause.sqlstate
        return state == READ_ONLY or (state[:2] in AWAY_CLASSES and state != QUERY_CANCELED)
    if isinstance(cause, sqlite3.Error) and hasattr(cause, "sqlite_errorcode"):
        return cause.sqlite_errorcode & 0xFF not in ALONE_ON_SQLITE
    return isinstance(error, OperationalError)
