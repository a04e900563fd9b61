"""From the database to a verified copy in S3, and not a word of success before."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from deploy.backup import archive, metrics
from deploy.backup.database import Database, rows
from deploy.backup.failure import Busy, Failed
from deploy.backup.manifest import Manifest
from deploy.backup.steps import Steps, size
from deploy.backup.store import FOLDER, Bucket, Pointer

LOCK = 0x746D73_6261636B
"""Key of the advisory lock, "tmsback": it holds for every machine that can reach the database."""
DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Order:
    folder: Path
    bucket: str
    keep_days: float
    unless_younger_h: float
    """When the newest backup is younger, nothing needs to be done: each machine may ask for one, and one is made."""


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


def take(order: Order, steps: Steps) -> None:
    """Raises Failed, or Busy."""
    with steps("reach the database") as said:
        database = Database.configured()
        lock = database.connect()
        said(database.name)
    with lock, alone(lock):
        bucket = found_bucket(order, steps)
        if is_young_enough(bucket, order, steps):
            return
        local = made(database, order.folder, steps)
        uploaded(local, bucket, steps)
        with steps(f"remove local copies older than {order.keep_days:g} days") as said:
            said(f"{remove_old(order.folder, order.keep_days)} removed")
        with steps("tell CloudWatch"):
            metrics.tell_success(age_s=local.pointer.age_s)
    steps.say(f"The backup {bucket.url(local.key)} is there, whole and encrypted: {steps.took}")


@contextmanager
def alone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The lock lives as long as the connection. Raises Busy."""
    [(taken,)] = rows(connection, "SELECT pg_try_advisory_lock(%s)", [LOCK])
    if not taken:
        raise Busy("another backup of this database is being made; wait for it to end")
    yield


def found_bucket(order: Order, steps: Steps) -> Bucket:
    with steps("reach the bucket") as said:
        bucket = Bucket.configured(order.bucket)
        bucket.s3.head_bucket(Bucket=bucket.name)
        said(bucket.name)
    return bucket


def is_young_enough(bucket: Bucket, order: Order, steps: Steps) -> bool:
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


def newest_age_s(bucket: Bucket) -> float | None:
    try:
        return bucket.latest().age_s
    except Failed:
        return None


def made(database: Database, folder: Path, steps: Steps) -> Local:
    """A backup in `folder` that was read again. What was begun and failed leaves nothing behind."""
    with steps("prepare the folder"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        [(snapshot,)] = rows(connection, "SELECT pg_export_snapshot()")
        archive.dump(database, path, snapshot=snapshot)
        said(size(path.stat().st_size))
        manifest = Manifest.of(connection)
        said(f"{len(manifest.rows)} tables, {manifest.total:,} rows")
    return manifest


def described(path: Path, sha256: str, manifest: Manifest) -> None:
    """As `sha256sum --check` reads it, and as a restore does."""
    checksum_of(path).write_text(f"{sha256}  {path.name}\n")
    manifest_of(path).write_text(manifest.text)


def uploaded(local: Local, bucket: Bucket, steps: Steps) -> None:
    """The pointer moves last: it never names what is not there."""
    with steps("upload it") as said:
        bucket.put(local.path, local.key, sha256=local.sha256)
        bucket.put_text(f"{local.key}.sha256", checksum_of(local.path).read_text())
        bucket.put_text(f"{local.key}.manifest.json", local.manifest.text)
        said(f"{bucket.url(local.key)}, size, checksum and encryption are as they should be")
    with steps("point db_backup_latest at it"):
        bucket.point_at(local.pointer)
        if bucket.latest() != local.pointer:
            raise Failed("S3 keeps another pointer")


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
