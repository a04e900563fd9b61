"""The order of versions: 4.9 comes before 4.10, 4.8-rc1 before 4.8, and 4.8.0 equals 4.8.

A version becomes a text whose characters sort as the versions do. Each number becomes `n`, the number of its digits
and the digits; letters (of `rc`, `beta`) become `a`, the letters and `!`; the end is `e`, so that letters after a
number come before its end and further numbers after it. Everything else only separates.

PostgreSQL computes the text by an SQL function that a migration creates, SQLite calls Python.
"""

import re
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.signals import connection_created
from django.db.migrations.operations import RunPython
from django.db.migrations.state import StateApps
from django.db.models.sql.compiler import SQLCompiler

FUNCTION = "tms_version_key"
NO_VERSION = "e"
"""The key of a text without numbers and letters."""
PARTS = re.compile(r"[0-9]+|[a-z]+")
FIRST_V = re.compile(r"^v(?=[0-9])")
ZERO = "n010"
CAPITALS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

CREATE_FUNCTION = """
CREATE OR REPLACE FUNCTION tms_version_key(version text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT regexp_replace(
        coalesce(string_agg(
            CASE WHEN part ~ '^[0-9]' THEN 'n' || lpad(length(number)::text, 2, '0') || number
                 ELSE 'a' || part || '!' END,
            '' ORDER BY place
        ), '') || 'e',
        '(?:n010)+(?=[ae])', '', 'g'
    )
    FROM (
        SELECT place, found[1] AS part, coalesce(nullif(ltrim(found[1], '0'), ''), '0') AS number
        FROM regexp_matches(
            regexp_replace(
                translate(version, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') COLLATE "C",
                '^v(?=[0-9])', ''
            ),
            '[0-9]+|[a-z]+', 'g'
        ) WITH ORDINALITY AS matches (found, place)
    ) AS parts
$body$
"""


class VersionKey(models.Func):
    """The text by which a version sorts. Its characters compare by code point."""

    function = FUNCTION
    output_field = models.TextField(db_collation="C")

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        # A collation of the language would put digits, letters and `!` into another order.
        return self.as_sql(compiler, connection, template='(%(function)s(%(expressions)s) COLLATE "C")', **extra)


def version_key(version: str) -> str:
    """The same text, computed here. It has at most 99 digits a number."""
    keys: list[str] = []
    for part in (*PARTS.findall(FIRST_V.sub("", version.translate(CAPITALS))), ""):
        key = _key_of_part(part) if part else NO_VERSION
        while key[0] != ZERO[0] and keys and keys[-1] == ZERO:
            keys.pop()  # 4.8.0 equals 4.8, and 4.8.0-rc1 equals 4.8-rc1
        keys.append(key)
    return "".join(keys)


def create() -> RunPython:
    """The operation of a migration that creates the function; it does nothing on SQLite."""
    return RunPython(_create_function, RunPython.noop, elidable=False)


def register() -> None:
    connection_created.connect(_add_to_sqlite, dispatch_uid=__name__)


def _create_function(_: StateApps, schema: BaseDatabaseSchemaEditor) -> None:
    if schema.connection.vendor == "postgresql":
        schema.execute(CREATE_FUNCTION)


def _add_to_sqlite(sender: object, *, connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 1, version_key, deterministic=True)


def _key_of_part(part: str) -> str:
    if not part[0].isdigit():
        return f"a{part}!"
    number = part.lstrip("0") or "0"
    return f"n{len(number):02d}{number}"
