"""From a backup to the database that is served, by way of one beside it that was verified."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from deploy.backup import archive, release
from deploy.backup.database import Database
from deploy.backup.failure import BackupFailed
from deploy.backup.manifest import Manifest, differences
from deploy.backup.steps import Steps, size
from deploy.backup.store import FOLDER, BackupBucket
from deploy.backup.swap import create, newest_kept, swap

MOST_TOLD = 5
RESTART = "restart what holds the old state in memory (docs/runbook.md#restore)"


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    folder: Path
    bucket: str
    key: str
    """Of the backup; without it the newest."""
    jobs: int
    dry_run: bool
    verify_only: bool
    agrees: Callable[[str], bool]


class Backup(NamedTuple):
    bucket: BackupBucket
    key: str
    sha256: str
    manifest: Manifest


def restore(order: RestoreOrder, steps: Steps) -> None:
    """Raises Failed; then the database that is served is as it was."""
    database = Database.configured()
    backup = found(order, steps)
    new = f"{database.name}_restored_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    if order.dry_run:
        steps.say(plan(database, backup, new))
        return
    path = fetched(backup, order.folder, steps)
    try:
        with steps("verify the dump") as said:
            said(f"{archive.verify(database, path, backup.manifest)} tables, all of it readable")
        filled(database.named(new), database, path, order.jobs, steps)
    finally:
        path.unlink(missing_ok=True)
    verified(database.named(new), backup.manifest, steps)
    if order.verify_only:
        steps.say(f"Restored into {new} and verified; nothing was swapped. To swap: restore.sh --swap {new}")
        return
    exchange(database, new, order.agrees, steps)


def exchange(database: Database, new: str, agrees: Callable[[str], bool], steps: Steps) -> None:
    """Raises Failed."""
    question = f"Swap now? {database.name} is closed for a second or two, and {new} takes its place."
    if not agrees(question):
        steps.say(f"Nothing was swapped; {new} stays. To swap: restore.sh --swap {new}")
        return
    with steps(f"swap {database.name} and {new}") as said:
        kept = swap(database, new)
        said(f"what was there is kept as {kept}")
    steps.say(f"Done in {steps.took}. To go back: restore.sh --back. Now {RESTART}")


def back(database: Database, agrees: Callable[[str], bool], steps: Steps) -> None:
    """Undo the last swap; once more, and it is done again. Raises Failed."""
    with steps("find what was swapped out last") as said:
        kept = newest_kept(database)
        said(kept)
    exchange(database, kept, agrees, steps)


def found(order: RestoreOrder, steps: Steps) -> Backup:
    with steps("find the backup") as said:
        bucket = BackupBucket.configured(order.bucket)
        key = named(order.key) if order.key else bucket.latest().key
        sha256 = bucket.text(f"{key}.sha256").split()[0]
        manifest = Manifest.read(bucket.text(f"{key}.manifest.json"))
        said(f"{bucket.url(key)} of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC, {manifest.total:,} rows")
    with steps("compare its migrations with this release") as said:
        said(f"{len(manifest.migrations)} known, {release.to_run(manifest.migrations)} to run after the swap")
    return Backup(bucket, key, sha256, manifest)


def named(key: str) -> str:
    """With or without the bucket and the folder before it."""
    return FOLDER + key.rpartition("/")[2]


def plan(database: Database, backup: Backup, new: str) -> str:
    return (
        f"Dry run: would fetch {backup.bucket.url(backup.key)}, compare its SHA-256 with {backup.sha256}, restore it"
        f" into the new database {new}, compare {len(backup.manifest.rows)} tables with {backup.manifest.total:,} rows,"
        f" and ask before {new} takes the place of {database.name}. Nothing was done."
    )


def fetched(backup: Backup, folder: Path, steps: Steps) -> Path:
    """Raises Failed when it is not what was uploaded."""
    path = folder / f"restoring_{backup.key.rpartition('/')[2]}"
    with steps("fetch it") as said:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free, needed = shutil.disk_usage(folder).free, backup.bucket.size(backup.key)
        if free < needed:
            raise BackupFailed(f"{folder} has {size(free)} free, and the backup {size(needed)}: name another --folder")
        backup.bucket.get(backup.key, path)
        said(size(path.stat().st_size))
    with steps("compare its checksum") as said:
        got = archive.digest(path)
        if got != backup.sha256:
            path.unlink()
            raise BackupFailed(f"SHA-256 is {got}, not {backup.sha256}: it was damaged or replaced; take another one")
        said("as it was made")
    return path


def filled(new: Database, beside: Database, path: Path, jobs: int, steps: Steps) -> None:
    with steps(f"make the database {new.name}"):
        create(beside, new.name)
    with steps("restore into it"), tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.write(archive.ours(new.run("pg_restore", "--list", str(path))))
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
    with steps("let PostgreSQL know its tables"), new.connect() as connection:
        connection.execute("ANALYZE")


def verified(new: Database, kept: Manifest, steps: Steps) -> None:
    """Raises Failed; the new database stays, to be looked at."""
    with steps("compare it with what was counted") as said, new.connect() as connection:
        told = differences(kept, Manifest.of(connection))
        if told:
            more = f", and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
            raise BackupFailed(f"{new.name} differs: {'; '.join(told[:MOST_TOLD])}{more}. Nothing was swapped")
        said(f"{len(kept.rows)} tables and {kept.total:,} rows agree, every constraint holds")
        said(f"the latest report arrived {kept.latest_report_at or 'never'}")


def ask(question: str) -> bool:
    """Of the person at the terminal; where there is none, nobody agrees."""
    if not sys.stdin.isatty():
        print(f"{question} Nobody can be asked here; --yes agrees beforehand.")
        return False
    return input(f"{question} Type yes: ").strip().lower() == "yes"
