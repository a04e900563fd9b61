"""Objects of the storage, written in parts and read in pieces: no whole file is ever in memory.

django-storages has neither, so a bucket is asked by its client.
"""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from django.core.files.storage import FileSystemStorage, storages

PART_BYTES = 8 * 2**20
"""Every part but the last has so many; S3 needs at least 5 MiB."""
PIECE_BYTES = 4 * 2**20
"""What is in memory while a file is read."""
SPARE_BYTES = 2**30


class Objects(Protocol):
    def begin(self, name: str) -> str:
        """Returns the id of the upload."""

    def write(self, name: str, upload: str, offset: int, data: bytes) -> str:
        """Store a part. Returns its ETag."""

    def finish(self, name: str, upload: str, etags: Sequence[str]) -> None:
        """May be repeated."""

    def read(self, name: str, offset: int, size: int) -> bytes: ...

    def delete(self, name: str, upload: str) -> None: ...

    def has_room(self, size: int) -> bool: ...


class DiskObjects:
    def __init__(self, storage: FileSystemStorage) -> None:
        self._storage = storage

    def begin(self, name: str) -> str:
        self._make_folder()
        self._path(name).touch()
        self._path(name).chmod(self._storage.file_permissions_mode or 0o600)
        return ""

    def write(self, name: str, upload: str, offset: int, data: bytes) -> str:
        with self._path(name).open("r+b") as file:
            file.seek(offset)
            file.write(data)
        return ""

    def finish(self, name: str, upload: str, etags: Sequence[str]) -> None:
        """It is in one file already."""

    def read(self, name: str, offset: int, size: int) -> bytes:
        with self._path(name).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def delete(self, name: str, upload: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def has_room(self, size: int) -> bool:
        return shutil.disk_usage(self._make_folder()).free >= size + SPARE_BYTES

    def _make_folder(self) -> Path:
        """Its permissions do not depend on the umask: nginx may have to read it."""
        folder = Path(self._storage.location)
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(self._storage.directory_permissions_mode or 0o700)
        return folder

    def _path(self, name: str) -> Path:
        return Path(self._storage.path(name))


class BucketObjects:
    def __init__(self, storage: Any) -> None:
        self._bucket: str = storage.bucket_name
        self._client: Any = storage.connection.meta.client

    def begin(self, name: str) -> str:
        return str(self._client.create_multipart_upload(Bucket=self._bucket, Key=name)["UploadId"])

    def write(self, name: str, upload: str, offset: int, data: bytes) -> str:
        number = offset // PART_BYTES + 1
        done = self._client.upload_part(Bucket=self._bucket, Key=name, UploadId=upload, PartNumber=number, Body=data)
        return str(done["ETag"])

    def finish(self, name: str, upload: str, etags: Sequence[str]) -> None:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        with contextlib.suppress(self._client.exceptions.NoSuchUpload):  # done before, by a process that then died
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def read(self, name: str, offset: int, size: int) -> bytes:
        wanted = f"bytes={offset}-{offset + size - 1}"
        with self._client.get_object(Bucket=self._bucket, Key=name, Range=wanted)["Body"] as body:
            return bytes(body.read())

    def delete(self, name: str, upload: str) -> None:
        with contextlib.suppress(self._client.exceptions.NoSuchUpload):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload)
        self._client.delete_object(Bucket=self._bucket, Key=name)

    def has_room(self, size: int) -> bool:
        return True


def objects() -> Objects:
    storage = storages["artifacts"]
    return DiskObjects(storage) if isinstance(storage, FileSystemStorage) else BucketObjects(storage)
