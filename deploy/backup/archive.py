"""The dump itself: PostgreSQL's custom format, compressed, and looked at before anybody relies on it."""

import hashlib
import re
from collections.abc import Set
from pathlib import Path

from deploy.backup.database import Database
from deploy.backup.failure import BackupFailed
from deploy.backup.manifest import Manifest

ENTRY = re.compile(r"^\d+; \d+ \d+ TABLE DATA (\S+) (\S+) ", re.MULTILINE)
"""A line of `pg_restore --list`: number, identifiers, kind, schema, table, owner."""

EXTENSION = re.compile(r"^\d+; \d+ \d+ (?:COMMENT )?(?:- )?EXTENSION (?:- )?(\S+)")
NEEDED_EXTENSIONS = frozenset({"pg_trgm"})
"""On which indexes of TMS stand. Others watch the server and belong to whoever runs it: on RDS that is `rdsadmin`, and
nobody else may make them or say a word about them."""


def dump(database: Database, path: Path, *, snapshot: str) -> None:
    """Raises CalledProcessError."""
    database.run(
        "pg_dump",
        "--format=custom",
        "--compress=6",
        "--no-password",
        "--lock-wait-timeout=60s",
        f"--snapshot={snapshot}",
        f"--file={path}",
    )


def verify(database: Database, path: Path, manifest: Manifest) -> int:
    """How many tables it holds. Raises CalledProcessError or Failed.

    The list at its head proves little: all of it is read and unpacked, which finds what was cut off or has gone bad.
    """
    listed = {f"{schema}.{table}" for schema, table in ENTRY.findall(database.run("pg_restore", "--list", str(path)))}
    must_have(listed, manifest)
    database.run("pg_restore", "--file=/dev/null", str(path))
    return len(listed)


def must_have(tables: Set[str], manifest: Manifest) -> None:
    """Raises Failed when the dump lacks one that the database has."""
    if lacking := manifest.rows.keys() - tables:
        raise BackupFailed(
            f"the dump lacks {len(lacking)} of {len(manifest.rows)} tables: {', '.join(sorted(lacking))}"
        )


def ours(listed: str) -> str:
    """Of what `pg_restore --list` prints, what a restore needs."""
    return "".join(line for line in listed.splitlines(keepends=True) if not _is_foreign(line))


def _is_foreign(line: str) -> bool:
    found = EXTENSION.match(line)
    return found is not None and found[1] not in NEEDED_EXTENSIONS


def digest(path: Path) -> str:
    """SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
