"""Receives files: announced, then in parts, then joined. Each step can be repeated, on any node."""

import contextlib
import hashlib
import secrets
import tempfile
from datetime import datetime, timedelta
from typing import IO, NamedTuple

import structlog
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, F, Sum

from tms.commands.models import CommandState
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.files.cleaning import clear, remove_parts
from tms.files.models import FilePart, FileState, TerminalFile
from tms.files.offers import MAX_PART_BYTES
from tms.files.tus import UploadRefused
from tms.lib.hashing import hash_token

log = structlog.get_logger(__name__)

MAX_PARTS = 1_000
"""Joining more small objects would take longer than a request may."""
DAY = timedelta(days=1)
MAX_FILES_A_DAY = 500
MEGABYTE = 1_000_000
STEPS = 10
"""Boards show the progress in so many steps."""


class Announcement(NamedTuple):
    """What the terminal says about a file before its bytes."""

    length: int
    name: str = ""
    media_type: str = ""
    sha256: str = ""


def find_upload(token: str, *, terminal: int) -> TerminalFile | None:
    """None also for the address of another terminal."""
    rows = TerminalFile.objects.filter(digest=hash_token(token), terminal=terminal)
    return rows.select_related("command").first()


def begin(file: TerminalFile, announced: Announcement, *, at: datetime) -> None:
    """Accept the name and the length. The same again changes nothing. Raises UploadRefused."""
    _demand_open(file, at)
    _demand_allowed(file, announced)
    if file.state == FileState.OFFERED:
        _demand_room(file, announced.length, at)
        _begin(file, announced, at)
    if file.state != FileState.RECEIVING:
        raise UploadRefused("tms:upload-used", "this address was used; each is for one file")
    if announced != Announcement(file.length, file.name, file.media_type, file.claimed_sha256):
        raise UploadRefused("tms:upload-used", "another file was begun at this address; each is for one file")


def _begin(file: TerminalFile, announced: Announcement, at: datetime) -> None:
    TerminalFile.objects.filter(pk=file.pk, state=FileState.OFFERED).update(
        state=FileState.RECEIVING,
        length=announced.length,
        name=announced.name,
        media_type=announced.media_type,
        claimed_sha256=announced.sha256,
        begun_at=at,
    )
    _publish(file)
    file.refresh_from_db(from_queryset=TerminalFile.objects.select_related("command"))


def append(file: TerminalFile, offset: int, data: bytes, *, at: datetime) -> None:
    """Store the next bytes. Of several requests for the same offset one succeeds. Raises UploadRefused."""
    _demand_open(file, at)
    _demand_next(file, offset, len(data))
    name = _store(f"{file.folder}/{offset:08d}-{secrets.token_hex(8)}", ContentFile(data))
    try:
        is_next = _advance(file, offset, len(data), name)
    except BaseException:
        default_storage.delete(name)
        raise
    if not is_next:
        default_storage.delete(name)
        raise _wrong_offset(file)
    file.offset, before = offset + len(data), offset
    if STEPS * file.offset // file.length != STEPS * before // file.length:
        _publish(file)
    if file.offset == file.length:
        join(file, at=at)


@transaction.atomic
def _advance(file: TerminalFile, offset: int, size: int, name: str) -> bool:
    rows = TerminalFile.objects.filter(pk=file.pk, state=FileState.RECEIVING, offset=offset)
    if not rows.update(offset=F("offset") + size, parts=F("parts") + 1):
        return False
    FilePart.objects.create(file=file, offset=offset, size=size, content=name)
    return True


def join(file: TerminalFile, *, at: datetime) -> None:
    """Make one object of all parts, unless another process does. Raises UploadRefused for a wrong checksum."""
    if not TerminalFile.objects.unjoined(at).filter(pk=file.pk).update(joining_at=at):
        return
    try:
        with tempfile.TemporaryFile() as whole:  # boto3 would read what is not a file into memory
            sha256 = _gather(file, whole)
            name = _store(f"{file.folder}/{secrets.token_hex(8)}", File(whole))
    except BaseException:
        TerminalFile.objects.filter(pk=file.pk).update(joining_at=None)
        raise
    is_right = sha256 != "" and file.claimed_sha256 in ("", sha256)
    state = FileState.COMPLETE if is_right else FileState.FAILED
    joined = TerminalFile.objects.filter(pk=file.pk, state=FileState.RECEIVING)
    if not joined.update(state=state, content=name if is_right else "", sha256=sha256, completed_at=at):
        default_storage.delete(name)
        return
    file.state = state
    _publish(file)
    if is_right:
        remove_parts(file)
        return
    clear(file)
    found = f"the SHA-256 of what arrived is {sha256}, not {file.claimed_sha256}" if sha256 else "stored bytes are gone"
    raise UploadRefused("tms:upload-checksum", f"{found}; the command must be sent again")


def _store(name: str, content: "File[bytes]") -> str:
    """Returns the name in the storage. A full disk keeps nothing of it."""
    try:
        return default_storage.save(name, content)
    except BaseException:
        with contextlib.suppress(Exception):
            default_storage.delete(name)
        raise


def _gather(file: TerminalFile, target: IO[bytes]) -> str:
    """Write all parts to `target`, one in memory at a time. Returns the SHA-256; empty if bytes are missing."""
    digest, size = hashlib.sha256(), 0
    for part in file.received_parts.order_by("offset"):
        try:
            with default_storage.open(part.content) as stored:
                data = stored.read()
        except FileNotFoundError:  # no later attempt would find it
            return ""
        digest.update(data)
        size += len(data)
        target.write(data)
    return digest.hexdigest() if size == file.length else ""


def _demand_open(file: TerminalFile, at: datetime) -> None:
    if file.state in (FileState.COMPLETE, FileState.FAILED):
        raise UploadRefused("tms:upload-used", "this address was used; each is for one file")
    if at >= file.expires_at or file.command.state != CommandState.SENT:
        raise UploadRefused("tms:upload-ended", "the command of this upload is over; the address has ended with it")


def _demand_allowed(file: TerminalFile, announced: Announcement) -> None:
    if not 1 <= announced.length <= file.max_bytes:
        raise UploadRefused("tms:upload-too-large", f"Upload-Length must be from 1 to {file.max_bytes} bytes here")
    if announced.media_type not in file.media_types:
        allowed = ", ".join(file.media_types)
        raise UploadRefused("tms:upload-type", f"filetype of Upload-Metadata must be one of {allowed} here")


def _demand_room(file: TerminalFile, length: int, at: datetime) -> None:
    """Counted without a lock: what begins at the same moment may exceed a limit by its own length."""
    today = TerminalFile.objects.filter(terminal=file.terminal_id, begun_at__gt=at - DAY)
    used = today.aggregate(bytes=Sum("length"), files=Count("pk"))
    if (used["bytes"] or 0) + length > settings.FILES_DAILY_MB * MEGABYTE or used["files"] >= MAX_FILES_A_DAY:
        detail = f"a terminal may upload {settings.FILES_DAILY_MB} MB and {MAX_FILES_A_DAY} files within 24 hours"
        raise UploadRefused("tms:upload-limit", detail)
    stored = TerminalFile.objects.filter(state__in=(FileState.RECEIVING, FileState.COMPLETE))
    if (stored.aggregate(bytes=Sum("length"))["bytes"] or 0) + length > settings.FILES_TOTAL_MB * MEGABYTE:
        log.warning("files_full", limit_mb=settings.FILES_TOTAL_MB)
        raise UploadRefused("tms:upload-full", f"all files together have {settings.FILES_TOTAL_MB} MB, the most")


def _demand_next(file: TerminalFile, offset: int, size: int) -> None:
    if file.state != FileState.RECEIVING:
        raise UploadRefused("tms:upload-not-begun", "announce the file first, with POST")
    if offset != file.offset:
        raise _wrong_offset(file)
    if not 1 <= size <= min(MAX_PART_BYTES, file.length - offset):
        detail = f"a body has 1 to {MAX_PART_BYTES} bytes, and none beyond Upload-Length"
        raise UploadRefused("tms:upload-too-large", detail)
    if file.parts >= MAX_PARTS:
        raise UploadRefused("tms:upload-too-large", f"a file has at most {MAX_PARTS} parts; send larger ones")


def _wrong_offset(file: TerminalFile) -> UploadRefused:
    file.refresh_from_db(fields=["offset"])
    return UploadRefused("tms:upload-offset", f"Upload-Offset must be {file.offset}; ask with HEAD")


def _publish(file: TerminalFile) -> None:
    """Boards show the file again."""
    publish(Change(terminals=frozenset({file.terminal_id})))
