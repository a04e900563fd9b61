"""Uploads of artifacts: begun, received in parts, hashed by the clock, checked, and added.

A part is stored before its offset is, so that a request which is repeated, on any node, changes nothing. Nothing is
unpacked.
"""

import hashlib
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.artifacts.checks import checks_of
from tms.artifacts.manifest import MAX_FILE_BYTES, Manifest, SignedManifest
from tms.artifacts.models import Artifact, ArtifactUpload
from tms.artifacts.objects import PART_BYTES, PIECE_BYTES, objects
from tms.files.tus import UploadRefused
from tms.lib.db.jobs import skip_when_empty
from tms.lib.per_process import per_process
from tms.lib.set_aside import each

KEPT = timedelta(days=1)
MAX_OPEN = 20
"""Uploads of one person."""
HASHING_S = 0.4
"""How long a pass may hash: other loops of the lane wait for it."""


class CannotAdd(ValueError):
    """The text says which check an upload has not passed."""

    code = "tms:cannot-add"


def find(key: str, *, by: User) -> ArtifactUpload | None:
    """None also for the upload of another person."""
    return ArtifactUpload.objects.filter(key=key, by=by).first()


def begin(name: str, length: int, *, by: User, at: datetime) -> ArtifactUpload:
    """Raises UploadRefused."""
    if not 1 <= length <= MAX_FILE_BYTES:
        raise UploadRefused("tms:upload-too-large", f"Upload-Length must be from 1 to {MAX_FILE_BYTES} bytes")
    if ArtifactUpload.objects.filter(by=by).count() >= MAX_OPEN:
        raise UploadRefused("tms:upload-limit", f"a person has at most {MAX_OPEN} uploads; add or remove some first")
    if not objects().has_room(length):
        raise UploadRefused("tms:upload-full", "the disk of TMS has no room for it")
    stored_as = secrets.token_hex(16)
    return ArtifactUpload.objects.create(
        key=secrets.token_urlsafe(32),
        by=by,
        name=name,
        length=length,
        stored_as=stored_as,
        multipart=objects().begin(stored_as),
        begun_at=at,
        expires_at=at + KEPT,
    )


def append(upload: ArtifactUpload, offset: int, data: bytes, *, at: datetime) -> None:
    """Store the next bytes. Of several requests for the same offset one succeeds. Raises UploadRefused."""
    if offset != upload.offset:
        raise UploadRefused("tms:upload-offset", f"Upload-Offset must be {upload.offset}; ask with HEAD")
    expected = min(PART_BYTES, upload.length - offset)
    if not expected or len(data) != expected:
        detail = f"a body has {PART_BYTES} bytes, and the last one what remains of Upload-Length; expected {expected}"
        raise UploadRefused("tms:upload-too-large", detail)
    etag = objects().write(upload.stored_as, upload.multipart, offset, data)
    found = ArtifactUpload.objects.filter(pk=upload.pk, offset=offset)
    parts = [*upload.parts, *([etag] if etag else [])]
    if not found.update(offset=F("offset") + len(data), parts=parts, expires_at=at + KEPT):
        raise UploadRefused("tms:upload-offset", "another request has stored this part; ask with HEAD")
    upload.refresh_from_db()


def describe(upload: ArtifactUpload, signed: SignedManifest) -> None:
    """Give it its manifest. Raises ManifestError."""
    Manifest.read(signed.manifest)
    upload.manifest = signed.manifest
    upload.signatures = [{"key": one.key, "signature": one.signature} for one in signed.signatures]
    upload.save(update_fields=["manifest", "signatures"])


def discard(upload: ArtifactUpload) -> None:
    objects().delete(upload.stored_as, upload.multipart)
    upload.delete()


def add(upload: ArtifactUpload, *, notes: str, by: User, at: datetime) -> Artifact:
    """Make it an artifact. Raises CannotAdd."""
    try:
        return _add(upload, notes=notes, by=by, at=at)
    except IntegrityError:  # somebody else has just added the same version
        raise CannotAdd("this version exists already") from None


@transaction.atomic
def _add(upload: ArtifactUpload, *, notes: str, by: User, at: datetime) -> Artifact:
    locked = ArtifactUpload.objects.select_for_update().filter(pk=upload.pk).first()
    if locked is None:
        raise CannotAdd("it was added already")
    if missing := [check.text for check in checks_of(locked, at=at) if not check.is_passed]:
        raise CannotAdd("; ".join(str(text) for text in missing))
    manifest = Manifest.read(locked.manifest)
    artifact = Artifact.objects.create(
        **_columns(manifest),
        manifest=locked.manifest,
        signatures=locked.signatures,
        sha1=locked.sha1,
        file=locked.stored_as,
        notes=notes,
        uploaded_by=by,
        uploaded_at=at,
    )
    # The file stays: it belongs to the artifact now.
    locked.delete()
    recorder.record("added", artifact, {"sha256": (None, artifact.sha256), "file": (None, locked.name)})
    return artifact


def _columns(manifest: Manifest) -> Mapping[str, Any]:
    names = ("name", "version", "format", "size", "sha256", "replaces_from", "replaces_below")
    return {name: getattr(manifest, name) for name in names} | {
        "for_models": list(manifest.models),
        "expires_at": manifest.expires,
    }


class Hashing:
    """The hashes of a file as far as it was read. They are in memory: another process begins again."""

    def __init__(self) -> None:
        self.offset = 0
        self.sha256, self.sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)

    def read(self, upload: ArtifactUpload, until: float) -> None:
        """Go on until this time of the monotonic clock, or the end."""
        if not self.offset:
            objects().finish(upload.stored_as, upload.multipart, upload.parts)
        while self.offset < upload.length and time.monotonic() < until:
            data = objects().read(upload.stored_as, self.offset, PIECE_BYTES)
            if not data:
                raise OSError(f"{upload.stored_as} ends after {self.offset} of {upload.length} bytes")
            self.sha256.update(data)
            self.sha1.update(data)
            self.offset += len(data)


@per_process
def _hashings() -> dict[int, Hashing]:
    return {}


@skip_when_empty(ArtifactUpload.objects.unchecked, ArtifactUpload.objects.old)
def advance(at: datetime) -> None:
    """A pass of the clock: hash what has arrived, a little at a time, and delete what nobody added."""
    each(list(ArtifactUpload.objects.unchecked(at)[:3]), _hash, loop="artifact_uploads")
    each(list(ArtifactUpload.objects.old(at)[:20]), discard, loop="artifact_uploads")


def _hash(upload: ArtifactUpload) -> None:
    hashing = _hashings().setdefault(upload.pk, Hashing())
    hashing.read(upload, time.monotonic() + HASHING_S)
    upload.hashed = hashing.offset
    if hashing.offset == upload.length:
        upload.sha256, upload.sha1 = hashing.sha256.hexdigest(), hashing.sha1.hexdigest()
        del _hashings()[upload.pk]
    rows = ArtifactUpload.objects.filter(pk=upload.pk)
    rows.update(hashed=upload.hashed, sha256=upload.sha256, sha1=upload.sha1)
