"""The S3 bucket with the backups. Every upload is verified afterwards."""

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from boto3.s3.transfer import TransferConfig

from deploy.aws import account, client, code_of
from deploy.backup.failure import BackupFailed

FOLDER = "database/"
LATEST = f"{FOLDER}db_backup_latest"
PART = 64 * 1024 * 1024
MOST_PARTS = 9_000
"""S3 accepts 10,000."""


class Pointer(msgspec.Struct, frozen=True):
    """The content of `db_backup_latest`: the newest backup that was verified in S3."""

    key: str
    sha256: str
    size: int
    taken_at: datetime

    @property
    def age_s(self) -> float:
        return (datetime.now(UTC) - self.taken_at).total_seconds()


@dataclass(frozen=True, slots=True)
class BackupBucket:
    name: str
    s3: Any

    @classmethod
    def configured(cls, name: str = "") -> "BackupBucket":
        """`name`, or BACKUP_BUCKET, or the bucket that Terraform creates in this account."""
        name = name or os.environ.get("BACKUP_BUCKET") or f"{os.environ.get('TMS_NAME') or 'tms'}-{account()}-backups"
        return cls(name, client("s3"))

    def put(self, path: Path, key: str, *, sha256: str) -> None:
        """Raises BackupFailed unless S3 has every byte of it, encrypted."""
        part = max(PART, -(-path.stat().st_size // MOST_PARTS))
        extra = {"ChecksumAlgorithm": "SHA256", "Metadata": {"sha256": sha256}, **_encryption()}
        transfer = TransferConfig(multipart_threshold=part, multipart_chunksize=part)
        self.s3.upload_file(str(path), self.name, key, ExtraArgs=extra, Config=transfer)
        self._verify(path, key, part)

    def begin_parts(self, key: str) -> str:
        """The id of an upload in parts."""
        begun = self.s3.create_multipart_upload(Bucket=self.name, Key=key, ChecksumAlgorithm="SHA256", **_encryption())
        return str(begun["UploadId"])

    def size(self, key: str) -> int:
        return int(self.s3.head_object(Bucket=self.name, Key=key)["ContentLength"])

    def must_be_stored(self, key: str, size: int) -> None:
        """Raises BackupFailed unless S3 has every byte of it, encrypted."""
        stored = self.s3.head_object(Bucket=self.name, Key=key)
        if stored["ContentLength"] != size:
            raise BackupFailed(f"S3 stored {stored['ContentLength']:,} bytes of {size:,}")
        if not stored.get("ServerSideEncryption"):
            raise BackupFailed("S3 stored it without encryption")

    def put_text(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=text.encode(), ChecksumAlgorithm="SHA256", **_encryption())

    def text(self, key: str) -> str:
        """Raises BackupFailed if it does not exist."""
        try:
            return str(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read().decode())
        except self.s3.exceptions.NoSuchKey:
            raise BackupFailed(f"s3://{self.name}/{key} does not exist") from None

    def get(self, key: str, path: Path) -> None:
        """Raises BackupFailed if it does not exist."""
        try:
            self.s3.download_file(self.name, key, str(path))
        except self.s3.exceptions.ClientError as error:
            if code_of(error) == "404":
                raise BackupFailed(f"s3://{self.name}/{key} does not exist") from None
            raise

    def point_at(self, pointer: Pointer) -> None:
        self.put_text(LATEST, json.dumps(msgspec.to_builtins(pointer), indent=1) + "\n")

    def latest(self) -> Pointer:
        """Raises BackupFailed if there is none."""
        return msgspec.json.decode(self.text(LATEST), type=Pointer)

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def _verify(self, path: Path, key: str, part: int) -> None:
        stored = self.s3.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
        if stored["ContentLength"] != path.stat().st_size:
            raise BackupFailed(f"S3 stored {stored['ContentLength']:,} bytes of {path.stat().st_size:,}")
        if stored.get("ChecksumSHA256") != checksum(path, part):
            raise BackupFailed(f"S3 has the checksum {stored.get('ChecksumSHA256')}, not {checksum(path, part)}")
        if not stored.get("ServerSideEncryption"):
            raise BackupFailed("S3 stored it without encryption")


def checksum(path: Path, part: int) -> str:
    """SHA-256 as S3 reports it: of the whole; of a multipart upload, of the parts' digests, with their number."""
    digests = [hashlib.sha256(chunk).digest() for chunk in _chunks(path, part)]
    if path.stat().st_size < part:
        return base64.b64encode(digests[0]).decode()
    return f"{base64.b64encode(hashlib.sha256(b''.join(digests)).digest()).decode()}-{len(digests)}"


def _chunks(path: Path, part: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(part):
            yield chunk


def _encryption() -> dict[str, str]:
    """The bucket's default, unless BACKUP_KMS_KEY names another key. The result is verified after the upload."""
    if key := os.environ.get("BACKUP_KMS_KEY"):
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    return {}
