"""The dump: PostgreSQL's custom format, compressed and verified."""

import hashlib
import re
from collections.abc import Set
from pathlib import Path

from deploy.backup.failure import BackupFailed
from deploy.backup.postgresql.database import Database
from deploy.backup.storage.manifest import LEFT_OUT, Manifest

ENTRY = re.compile(r"^\d+; \d+ \d+ TABLE DATA (\S+) (\S+) ", re.MULTILINE)
"""A line of `pg_restore --list`: number, identifiers, kind, schema, table, owner."""

EXTENSION = re.compile(r"^\d+; \d+ \d+ (?:COMMENT )?(?:- )?EXTENSION (?:- )?(\S+)")
NEEDED_EXTENSIONS = frozenset({"pg_trgm"})
"""Extensions that TMS's indexes need. Others belong to the administrator of the server: on RDS only `rdsadmin` may
create them or comment on them."""


DUMP = (
    "--format=custom",
    "--compress=6",
    "--no-password",
    "--lock-wait-timeout=60s",
    *(f"--exclude-table-data={table}" for table in LEFT_OUT),
)
"""Arguments of pg_dump, without those that say where to."""


def dump(database: Database, path: Path, *, snapshot: str) -> None:
    """Raises CalledProcessError."""
    database.run("pg_dump", *DUMP, f"--snapshot={snapshot}", f"--file={path}")


def verify(database: Database, path: Path, manifest: Manifest) -> int:
    """Return the number of its tables. Raises CalledProcessError or BackupFailed.

    Its table of contents is not enough: the whole file is read and unpacked, which finds truncation and damage.
    """
    listed = {f"{schema}.{table}" for schema, table in ENTRY.findall(database.run("pg_restore", "--list", str(path)))}
    must_list_all_tables(listed, manifest)
    database.run("pg_restore", "--file=/dev/null", str(path))
    return len(listed)


def must_list_all_tables(tables: Set[str], manifest: Manifest) -> None:
    """Raises BackupFailed if the dump lacks a table of the database."""
    if lacking := manifest.rows.keys() - tables:
        raise BackupFailed(
            f"the dump lacks {len(lacking)} of {len(manifest.rows)} tables: {', '.join(sorted(lacking))}"
        )


def needed_entries(listed: str) -> str:
    """The lines of `pg_restore --list` that a restore needs."""
    return "".join(line for line in listed.splitlines(keepends=True) if not _is_foreign(line))


def _is_foreign(line: str) -> bool:
    found = EXTENSION.match(line)
    return found is not None and found[1] not in NEEDED_EXTENSIONS


def digest(path: Path) -> str:
    """SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
