"""The collation `natural`: numbers within a text sort by value, so KSK-9 comes before KSK-10.

PostgreSQL gets it from ICU, by a migration; SQLite calls Python.
"""

import re
from functools import lru_cache

from django.contrib.postgres.operations import CreateCollation
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.functions import Collate

NATURAL = "natural"
NUMBERS = re.compile(r"(\d+)")


def natural(column: str) -> Collate:
    return Collate(column, NATURAL)


def create() -> CreateCollation:
    """The operation of a migration that creates the collation; it does nothing on SQLite."""
    return CreateCollation(NATURAL, provider="icu", locale="und-u-kn-true")


def register() -> None:
    connection_created.connect(_add_to_sqlite, dispatch_uid=__name__)


def _add_to_sqlite(sender: object, *, connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_collation(NATURAL, _compare)


def _compare(one: str, other: str) -> int:
    first, second = natural_key(one), natural_key(other)
    return (first > second) - (first < second)


@lru_cache(maxsize=4_096)
def natural_key(text: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Numbers before letters, ignoring case; ties by characters."""
    parts = (part for part in NUMBERS.split(text) if part)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts), text
