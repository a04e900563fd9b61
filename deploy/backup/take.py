"""Backs up the database to S3, and reports success only after it is verified there."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg

from deploy.backup import metrics
from deploy.backup.failure import BackupFailed, BackupInProgress
from deploy.backup.postgresql.database import Database, rows
from deploy.backup.steps import Steps, size
from deploy.backup.storage import archive, stream
from deploy.backup.storage.manifest import Manifest
from deploy.backup.storage.store import FOLDER, BackupBucket, Pointer

LOCK = 0x746D73_6261636B
"""Key of the advisory lock, "tmsback": it holds for every machine that can reach the database."""
DAY_S = 24 * 3600
FREE_SPACE_FACTOR = 1.5
"""Free space needed, as a multiple of the newest backup: the database grows."""


@dataclass(frozen=True, slots=True)
class BackupOptions:
    folder: Path
    bucket: str
    keep_days: float
    skip_if_younger_h: float
    """Do nothing if the newest backup is younger: every machine has the timer, and one backup is made."""
    streams: bool = False
    """Upload without a local copy, so that no disk of a serving machine fills up."""


class Local(NamedTuple):
    """A backup in the local folder."""

    path: Path
    sha256: str
    manifest: Manifest

    @property
    def key(self) -> str:
        return FOLDER + self.path.name

    @property
    def pointer(self) -> Pointer:
        return Pointer(self.key, self.sha256, self.path.stat().st_size, self.manifest.taken_at)


def take(options: BackupOptions, steps: Steps) -> None:
    """Raises BackupFailed or BackupInProgress."""
    with steps("reach the database") as note:
        database = Database.configured()
        lock = database.connect()
        note(database.name)
    with lock, backup_lock(lock):
        bucket = reachable_bucket(options, steps)
        if is_recent_enough(bucket, options, steps):
            return
        pointer = (
            streamed_backup(database, bucket, steps)
            if options.streams
            else local_backup(database, bucket, options, steps)
        )
        with steps("publish to CloudWatch"):
            metrics.publish_success(age_s=pointer.age_s)
    steps.log(f"The backup {bucket.url(pointer.key)} is complete and encrypted: {steps.took}")


def local_backup(database: Database, bucket: BackupBucket, options: BackupOptions, steps: Steps) -> Pointer:
    must_have_space(options.folder, newest_size(bucket), steps)
    local = create_local(database, options.folder, steps)
    upload_local(local, bucket, steps)
    with steps(f"remove local copies older than {options.keep_days:g} days") as note:
        note(f"{remove_old(options.folder, options.keep_days)} removed")
    return local.pointer


def streamed_backup(database: Database, bucket: BackupBucket, steps: Steps) -> Pointer:
    """Dump, verify and upload in one pass; a failure leaves nothing in S3."""
    name = f"db_backup_{datetime.now(UTC):%Y%m%d_%H%M%S}.dump"
    key = FOLDER + name
    with steps("dump the database to S3, and verify the stream") as note, database.connect() as connection:
        snapshot = exported_snapshot(connection)
        upload, found = stream.put(database, bucket, key, snapshot=snapshot)
        try:
            manifest = Manifest.of(connection)
            archive.must_list_all_tables(found.tables, manifest)
        except BaseException:
            upload.abort()
            raise
        upload.complete()
        for one in (size(found.size), f"{len(manifest.rows)} tables", f"{manifest.total:,} rows", found.sha256):
            note(one)
    with steps("verify it in S3"):
        bucket.must_be_stored(key, found.size)
        bucket.put_text(f"{key}.sha256", f"{found.sha256}  {name}\n")
        bucket.put_text(f"{key}.manifest.json", manifest.text)
    pointer = Pointer(key, found.sha256, found.size, manifest.taken_at)
    point(bucket, pointer, steps)
    return pointer


def must_have_space(folder: Path, needed: int, steps: Steps) -> None:
    """Raises BackupFailed if the disk might fill up, which would stop other services."""
    with steps("prepare the folder"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < needed * FREE_SPACE_FACTOR:
            raise BackupFailed(
                f"{folder} has {size(free)} free, and the newest backup has {size(needed)}: name another --folder, or"
                " upload without a local copy: --stream"
            )


def newest_size(bucket: BackupBucket) -> int:
    """The size of the newest backup in bytes; 0 if there is none."""
    try:
        return bucket.latest().size
    except BackupFailed:
        return 0


@contextmanager
def backup_lock(connection: psycopg.Connection) -> Iterator[None]:
    """An advisory lock, held as long as the connection. Raises BackupInProgress."""
    [(taken,)] = rows(connection, "SELECT pg_try_advisory_lock(%s)", [LOCK])
    if not taken:
        raise BackupInProgress("another backup of this database is in progress; wait until it ends")
    yield


def reachable_bucket(options: BackupOptions, steps: Steps) -> BackupBucket:
    with steps("reach the bucket") as note:
        bucket = BackupBucket.configured(options.bucket)
        bucket.s3.head_bucket(Bucket=bucket.name)
        note(bucket.name)
    return bucket


def is_recent_enough(bucket: BackupBucket, options: BackupOptions, steps: Steps) -> bool:
    if not options.skip_if_younger_h:
        return False
    with steps("check the newest backup") as note:
        age_s = newest_age_s(bucket)
        is_recent = age_s is not None and age_s < options.skip_if_younger_h * 3600
        note("there is none" if age_s is None else f"{age_s / 3600:.1f} h old")
        if is_recent and age_s is not None:
            metrics.publish_age(age_s)
            note("recent enough: nothing to do")
    return is_recent


def newest_age_s(bucket: BackupBucket) -> float | None:
    try:
        return bucket.latest().age_s
    except BackupFailed:
        return None


def create_local(database: Database, folder: Path, steps: Steps) -> Local:
    """Create a verified backup in `folder`. A failure leaves no partial file."""
    path = folder / f"db_backup_{datetime.now(UTC):%Y%m%d_%H%M%S}.dump"
    partial = path.with_suffix(".partial")
    try:
        manifest = dump_with_manifest(database, partial, steps)
        with steps("verify the dump") as note:
            note(f"{archive.verify(database, partial, manifest)} tables, all of it readable")
        with steps("compute its checksum") as note:
            sha256 = archive.digest(partial)
            note(sha256)
        with steps("rename it"):
            write_sidecars(path, sha256, manifest)
            partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    return Local(path, sha256, manifest)


def dump_with_manifest(database: Database, path: Path, steps: Steps) -> Manifest:
    """Dump and manifest come from one snapshot, so that concurrent writes do not matter."""
    with steps("dump the database") as note, database.connect() as connection:
        archive.dump(database, path, snapshot=exported_snapshot(connection))
        note(size(path.stat().st_size))
        manifest = Manifest.of(connection)
        note(f"{len(manifest.rows)} tables, {manifest.total:,} rows")
    return manifest


def exported_snapshot(connection: psycopg.Connection) -> str:
    """Begin a transaction on `connection` and return its snapshot, for others to share."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    [(snapshot,)] = rows(connection, "SELECT pg_export_snapshot()")
    return str(snapshot)


def write_sidecars(path: Path, sha256: str, manifest: Manifest) -> None:
    """Write the checksum, in the format of `sha256sum --check`, and the manifest."""
    checksum_of(path).write_text(f"{sha256}  {path.name}\n")
    manifest_of(path).write_text(manifest.text)


def upload_local(local: Local, bucket: BackupBucket, steps: Steps) -> None:
    """The pointer is written last, so that it never names a missing backup."""
    with steps("upload it") as note:
        bucket.put(local.path, local.key, sha256=local.sha256)
        bucket.put_text(f"{local.key}.sha256", checksum_of(local.path).read_text())
        bucket.put_text(f"{local.key}.manifest.json", local.manifest.text)
        note(f"{bucket.url(local.key)}, size, checksum and encryption verified")
    point(bucket, local.pointer, steps)


def point(bucket: BackupBucket, pointer: Pointer, steps: Steps) -> None:
    with steps("point db_backup_latest at it"):
        bucket.point_at(pointer)
        if bucket.latest() != pointer:
            raise BackupFailed("S3 keeps another pointer")


def remove_old(folder: Path, days: float) -> int:
    oldest = time.time() - days * DAY_S
    old = [path for path in folder.glob("db_backup_*") if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink()
    return len(old)


def checksum_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def manifest_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.manifest.json")
