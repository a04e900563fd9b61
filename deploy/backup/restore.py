"""Restores a backup into a new database, verifies it, and swaps it with the current one."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from deploy.backup import release
from deploy.backup.failure import BackupFailed
from deploy.backup.postgresql.database import Database
from deploy.backup.postgresql.swap import create, newest_retired, swap
from deploy.backup.steps import Steps, size
from deploy.backup.storage import archive
from deploy.backup.storage.manifest import Manifest, differences
from deploy.backup.storage.store import FOLDER, BackupBucket

MOST_SHOWN = 5
RESTART = "restart the processes that hold the old state in memory (docs/runbook.md#restore)"


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    folder: Path
    bucket: str
    key: str
    """The backup's name; empty for the newest."""
    jobs: int
    dry_run: bool
    verify_only: bool
    confirm: Callable[[str], bool]


class Backup(NamedTuple):
    bucket: BackupBucket
    key: str
    sha256: str
    manifest: Manifest


def restore(options: RestoreOptions, steps: Steps) -> None:
    """Raises BackupFailed; then the current database is unchanged."""
    database = Database.configured()
    backup = chosen_backup(options, steps)
    new = f"{database.name}_restored_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    if options.dry_run:
        steps.log(plan(database, backup, new))
        return
    path = downloaded(backup, options.folder, steps)
    try:
        with steps("verify the dump") as note:
            note(f"{archive.verify(database, path, backup.manifest)} tables, all of it readable")
        restore_into(database.named(new), database, path, options.jobs, steps)
    finally:
        path.unlink(missing_ok=True)
    verify(database.named(new), backup.manifest, steps)
    if options.verify_only:
        steps.log(f"Restored into {new} and verified; nothing was swapped. To swap: restore.sh --swap {new}")
        return
    swap_in(database, new, options.confirm, steps)


def swap_in(database: Database, new: str, confirm: Callable[[str], bool], steps: Steps) -> None:
    """Swap in `new` once `confirm` agrees. Raises BackupFailed."""
    question = f"Swap now? {database.name} is closed for a second or two, and {new} takes its place."
    if not confirm(question):
        steps.log(f"Nothing was swapped; {new} stays. To swap: restore.sh --swap {new}")
        return
    with steps(f"swap {database.name} and {new}") as note:
        retired = swap(database, new)
        note(f"the old database is kept as {retired}")
    steps.log(f"Done in {steps.took}. To go back: restore.sh --back. Now {RESTART}")


def swap_back(database: Database, confirm: Callable[[str], bool], steps: Steps) -> None:
    """Undo the last swap; a second call repeats it. Raises BackupFailed."""
    with steps("find the database that was swapped out last") as note:
        retired = newest_retired(database)
        note(retired)
    swap_in(database, retired, confirm, steps)


def chosen_backup(options: RestoreOptions, steps: Steps) -> Backup:
    with steps("find the backup") as note:
        bucket = BackupBucket.configured(options.bucket)
        key = named(options.key) if options.key else bucket.latest().key
        sha256 = bucket.text(f"{key}.sha256").split()[0]
        manifest = Manifest.read(bucket.text(f"{key}.manifest.json"))
        note(f"{bucket.url(key)} of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC, {manifest.total:,} rows")
    with steps("compare its migrations with this release") as note:
        note(
            f"{len(manifest.migrations)} known, {release.pending_migrations(manifest.migrations)} to run after the swap"
        )
    return Backup(bucket, key, sha256, manifest)


def named(key: str) -> str:
    """The key in the bucket, for a name with or without bucket and folder."""
    return FOLDER + key.rpartition("/")[2]


def plan(database: Database, backup: Backup, new: str) -> str:
    return (
        f"Dry run: would download {backup.bucket.url(backup.key)}, compare its SHA-256 with {backup.sha256}, restore it"
        f" into the new database {new}, compare {len(backup.manifest.rows)} tables with {backup.manifest.total:,} rows,"
        f" and ask before {new} takes the place of {database.name}. Nothing was done."
    )


def downloaded(backup: Backup, folder: Path, steps: Steps) -> Path:
    """Raises BackupFailed if it differs from what was uploaded."""
    path = folder / f"restoring_{backup.key.rpartition('/')[2]}"
    with steps("download it") as note:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free, needed = shutil.disk_usage(folder).free, backup.bucket.size(backup.key)
        if free < needed:
            raise BackupFailed(f"{folder} has {size(free)} free, and the backup {size(needed)}: name another --folder")
        backup.bucket.get(backup.key, path)
        note(size(path.stat().st_size))
    with steps("compare its checksum") as note:
        got = archive.digest(path)
        if got != backup.sha256:
            path.unlink()
            raise BackupFailed(f"SHA-256 is {got}, not {backup.sha256}: it was damaged or replaced; take another one")
        note("matches")
    return path


def restore_into(new: Database, beside: Database, path: Path, jobs: int, steps: Steps) -> None:
    with steps(f"create the database {new.name}"):
        create(beside, new.name)
    with steps("restore into it"), tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.write(archive.needed_entries(new.run("pg_restore", "--list", str(path))))
        wanted.flush()
        new.run(
            "pg_restore",
            "--no-password",
            "--no-owner",
            "--no-privileges",
            "--no-comments",
            "--exit-on-error",
            f"--use-list={wanted.name}",
            f"--jobs={jobs}",
            f"--dbname={new.name}",
            str(path),
        )
    with steps("analyse its tables"), new.connect() as connection:
        connection.execute("ANALYZE")


def verify(new: Database, retired: Manifest, steps: Steps) -> None:
    """Raises BackupFailed; the new database stays for inspection."""
    with steps("compare it with the manifest") as note, new.connect() as connection:
        changes = differences(retired, Manifest.of(connection))
        if changes:
            more = f", and {len(changes) - MOST_SHOWN} more" if len(changes) > MOST_SHOWN else ""
            raise BackupFailed(f"{new.name} differs: {'; '.join(changes[:MOST_SHOWN])}{more}. Nothing was swapped")
        note(f"{len(retired.rows)} tables and {retired.total:,} rows agree, every constraint holds")
        note(f"the latest report arrived {retired.latest_report_at or 'never'}")


def ask_terminal(question: str) -> bool:
    """Ask the person at the terminal; without a terminal the answer is no."""
    if not sys.stdin.isatty():
        print(f"{question} There is no terminal to ask; use --yes to agree beforehand.")
        return False
    return input(f"{question} Type yes: ").strip().lower() == "yes"
