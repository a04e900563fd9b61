"""Which errors of the database are retried."""

import psycopg
import pytest
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError

from tms.ingest.batch import is_away

AWAY = [
    (OperationalError, psycopg.errors.AdminShutdown, True),
    (OperationalError, psycopg.errors.DiskFull, True),
    (OperationalError, psycopg.errors.DeadlockDetected, True),
    (OperationalError, psycopg.errors.ProgramLimitExceeded, False),
    (InternalError, psycopg.errors.ReadOnlySqlTransaction, True),
    (InternalError, psycopg.errors.InternalError_, False),
    (DataError, psycopg.errors.InvalidTextRepresentation, False),
    (IntegrityError, psycopg.errors.NotNullViolation, False),
    (InterfaceError, psycopg.InterfaceError, True),
]


@pytest.mark.parametrize(("kind", "cause", "away"), AWAY)
def test_temporary_errors_are_retried_and_permanent_ones_are_not(kind, cause, away):
    error = kind("said so")
    error.__cause__ = cause("said so")

    assert is_away(error) is away


def test_a_programming_error_is_not_an_unavailable_database():
    assert not is_away(KeyError("seq"))
