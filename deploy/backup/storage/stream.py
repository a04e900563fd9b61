"""Uploads a dump to S3 while pg_dump runs, without a copy on disk. pg_restore reads the same stream to verify it."""

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from deploy.backup.postgresql.database import Database
from deploy.backup.storage.archive import DUMP
from deploy.backup.storage.store import PART, BackupBucket

READ = 1024 * 1024
TABLE = re.compile(r'processing data for table "([^"]+)"')


class Streamed(NamedTuple):
    sha256: str
    size: int
    tables: frozenset[str]
    """Tables whose rows pg_restore could unpack."""


def put(database: Database, bucket: BackupBucket, key: str, *, snapshot: str) -> tuple["Upload", Streamed]:
    """Dump, read and upload in one pass. Nothing is in S3 before `Upload.complete`. Raises CalledProcessError."""
    upload = Upload(bucket, key)
    digest, size = hashlib.sha256(), 0
    try:
        with database.started("pg_restore", "--verbose", "--file=/dev/null", feeds=True) as reader:
            for chunk in dumped(database, snapshot):
                digest.update(chunk)
                size += len(chunk)
                upload.add(chunk)
                reader.feed(chunk)
        upload.flush()
    except BaseException:
        upload.abort()
        raise
    return upload, Streamed(digest.hexdigest(), size, frozenset(TABLE.findall(reader.stderr)))


def dumped(database: Database, snapshot: str) -> Iterator[bytes]:
    with database.started("pg_dump", *DUMP, f"--snapshot={snapshot}") as dumping:
        yield from dumping.chunks(READ)


class Upload:
    """A multipart upload to S3: the object exists once it is complete, and an aborted one leaves nothing."""

    def __init__(self, bucket: BackupBucket, key: str) -> None:
        self._where = {"Bucket": bucket.name, "Key": key, "UploadId": bucket.begin_parts(key)}
        self._s3 = bucket.s3
        self._buffer = bytearray()
        self._parts: list[dict[str, object]] = []

    def add(self, chunk: bytes) -> None:
        self._buffer += chunk
        if len(self._buffer) >= PART:
            self.flush()

    def flush(self) -> None:
        """S3 rejects a part that does not match its checksum."""
        if not self._buffer and self._parts:
            return
        number = len(self._parts) + 1
        sent = self._s3.upload_part(
            **self._where, PartNumber=number, Body=bytes(self._buffer), ChecksumAlgorithm="SHA256"
        )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]})
        self._buffer.clear()

    def complete(self) -> None:
        self._s3.complete_multipart_upload(**self._where, MultipartUpload={"Parts": self._parts})

    def abort(self) -> None:
        self._s3.abort_multipart_upload(**self._where)
