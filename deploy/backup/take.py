"""From the database to a verified copy in S3, and not a word of success before."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from deploy.backup import archive, metrics, stream
from deploy.backup.database import Database, rows
from deploy.backup.failure import BackupFailed, Busy
from deploy.backup.manifest import Manifest
from deploy.backup.steps import Steps, size
from deploy.backup.store import FOLDER, BackupBucket, Pointer

LOCK = 0x746D73_6261636B
"""Key of the advisory lock, "tmsback": it holds for every machine that can reach the database."""
DAY_S = 24 * 3600
ROOM = 1.5
"""So much more free space than the newest backup took: the database grows."""


@dataclass(frozen=True, slots=True)
class BackupOrder:
    folder: Path
    bucket: str
    keep_days: float
    unless_younger_h: float
    """When the newest backup is younger, nothing needs to be done: each machine may ask for one, and one is made."""
    streams: bool = False
    """Straight into S3: on a machine that serves, no disk fills up."""


class Local(NamedTuple):
    """A backup in the folder."""

    path: Path
    sha256: str
    manifest: Manifest

    @property
    def key(self) -> str:
        return FOLDER + self.path.name

    @property
    def pointer(self) -> Pointer:
        return Pointer(self.key, self.sha256, self.path.stat().st_size, self.manifest.taken_at)


def take(order: BackupOrder, steps: Steps) -> None:
    """Raises Failed, or Busy."""
    with steps("reach the database") as said:
        database = Database.configured()
        lock = database.connect()
        said(database.name)
    with lock, alone(lock):
        bucket = found_bucket(order, steps)
        if is_young_enough(bucket, order, steps):
            return
        pointer = streamed(database, bucket, steps) if order.streams else kept_here_too(database, bucket, order, steps)
        with steps("tell CloudWatch"):
            metrics.tell_success(age_s=pointer.age_s)
    steps.say(f"The backup {bucket.url(pointer.key)} is there, whole and encrypted: {steps.took}")


def kept_here_too(database: Database, bucket: BackupBucket, order: BackupOrder, steps: Steps) -> Pointer:
    must_fit(order.folder, newest_size(bucket), steps)
    local = made(database, order.folder, steps)
    uploaded(local, bucket, steps)
    with steps(f"remove local copies older than {order.keep_days:g} days") as said:
        said(f"{remove_old(order.folder, order.keep_days)} removed")
    return local.pointer


def streamed(database: Database, bucket: BackupBucket, steps: Steps) -> Pointer:
    """Dump, verify and upload in one pass; what fails in between leaves nothing in S3."""
    name = f"db_backup_{datetime.now(UTC):%Y%m%d_%H%M%S}.dump"
    key = FOLDER + name
    with steps("dump the database into S3, and read it on the way") as said, database.connect() as connection:
        snapshot = exported_snapshot(connection)
        upload, found = stream.put(database, bucket, key, snapshot=snapshot)
        try:
            manifest = Manifest.of(connection)
            archive.must_have(found.tables, manifest)
        except BaseException:
            upload.abort()
            raise
        upload.complete()
        for one in (size(found.size), f"{len(manifest.rows)} tables", f"{manifest.total:,} rows", found.sha256):
            said(one)
    with steps("look at it in S3"):
        bucket.must_keep(key, found.size)
        bucket.put_text(f"{key}.sha256", f"{found.sha256}  {name}\n")
        bucket.put_text(f"{key}.manifest.json", manifest.text)
    pointer = Pointer(key, found.sha256, found.size, manifest.taken_at)
    point(bucket, pointer, steps)
    return pointer


def must_fit(folder: Path, needed: int, steps: Steps) -> None:
    """A disk that fills up stops what else runs there. Raises Failed."""
    with steps("prepare the folder"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < needed * ROOM:
            raise BackupFailed(
                f"{folder} has {size(free)} free, and the newest backup has {size(needed)}: name another --folder, or"
                " let it go straight to S3 with --stream"
            )


def newest_size(bucket: BackupBucket) -> int:
    """0 when there is none."""
    try:
        return bucket.latest().size
    except BackupFailed:
        return 0


@contextmanager
def alone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The lock lives as long as the connection. Raises Busy."""
    [(taken,)] = rows(connection, "SELECT pg_try_advisory_lock(%s)", [LOCK])
    if not taken:
        raise Busy("another backup of this database is being made; wait for it to end")
    yield


def found_bucket(order: BackupOrder, steps: Steps) -> BackupBucket:
    with steps("reach the bucket") as said:
        bucket = BackupBucket.configured(order.bucket)
        bucket.s3.head_bucket(Bucket=bucket.name)
        said(bucket.name)
    return bucket


def is_young_enough(bucket: BackupBucket, order: BackupOrder, steps: Steps) -> bool:
    if not order.unless_younger_h:
        return False
    with steps("look at the newest backup") as said:
        age_s = newest_age_s(bucket)
        is_young = age_s is not None and age_s < order.unless_younger_h * 3600
        said("there is none" if age_s is None else f"{age_s / 3600:.1f} h old")
        if is_young and age_s is not None:
            metrics.tell_age(age_s)
            said("which is young enough: nothing to do")
    return is_young


def newest_age_s(bucket: BackupBucket) -> float | None:
    try:
        return bucket.latest().age_s
    except BackupFailed:
        return None


def made(database: Database, folder: Path, steps: Steps) -> Local:
    """A backup in `folder` that was read again. What was begun and failed leaves nothing behind."""
    path = folder / f"db_backup_{datetime.now(UTC):%Y%m%d_%H%M%S}.dump"
    partial = path.with_suffix(".partial")
    try:
        manifest = dumped(database, partial, steps)
        with steps("verify the dump") as said:
            said(f"{archive.verify(database, partial, manifest)} tables, all of it readable")
        with steps("make its checksum") as said:
            sha256 = archive.digest(partial)
            said(sha256)
        with steps("put it in its place"):
            described(path, sha256, manifest)
            partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    return Local(path, sha256, manifest)


def dumped(database: Database, path: Path, steps: Steps) -> Manifest:
    """The dump and what is counted are of one snapshot, however much is written meanwhile."""
    with steps("dump the database") as said, database.connect() as connection:
        archive.dump(database, path, snapshot=exported_snapshot(connection))
        said(size(path.stat().st_size))
        manifest = Manifest.of(connection)
        said(f"{len(manifest.rows)} tables, {manifest.total:,} rows")
    return manifest


def exported_snapshot(connection: psycopg.Connection[Any]) -> str:
    """Of a transaction that `connection` now is in: others that name it see what it sees."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    [(snapshot,)] = rows(connection, "SELECT pg_export_snapshot()")
    return str(snapshot)


def described(path: Path, sha256: str, manifest: Manifest) -> None:
    """As `sha256sum --check` reads it, and as a restore does."""
    checksum_of(path).write_text(f"{sha256}  {path.name}\n")
    manifest_of(path).write_text(manifest.text)


def uploaded(local: Local, bucket: BackupBucket, steps: Steps) -> None:
    """The pointer moves last: it never names what is not there."""
    with steps("upload it") as said:
        bucket.put(local.path, local.key, sha256=local.sha256)
        bucket.put_text(f"{local.key}.sha256", checksum_of(local.path).read_text())
        bucket.put_text(f"{local.key}.manifest.json", local.manifest.text)
        said(f"{bucket.url(local.key)}, size, checksum and encryption are as they should be")
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
