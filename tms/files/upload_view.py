"""Where terminals upload files.

The file is announced with POST at the address that the command named, and the same address receives it: HEAD returns
the offset, PATCH appends. The token in the address is not enough: the terminal proves itself by its key, too.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from tms.files import receiving, tus
from tms.files.models import FileState, TerminalFile
from tms.files.names import shown_name
from tms.files.offers import MAX_PART_BYTES
from tms.files.receiving import Announcement
from tms.files.tus import UploadRefused
from tms.fleet.credentials import services as credentials
from tms.lib.db.clock import db_clock

AT_ONCE = 8
"""Bodies that a process stores at a time: each is in memory."""
_writers = threading.BoundedSemaphore(AT_ONCE)


@csrf_exempt  # a terminal has a key, and no cookies
@never_cache
def upload(request: HttpRequest, token: str) -> HttpResponse:
    """One file of one command."""
    works = {"HEAD": _head, "PATCH": _patch, "POST": _post}
    return tus.answer(request, {method: partial(_find_and, work, request, token) for method, work in works.items()})


def _find_and(
    work: Callable[[HttpRequest, TerminalFile, datetime], HttpResponse], request: HttpRequest, token: str
) -> HttpResponse:
    at = db_clock().now()
    return work(request, _find(request, token, at), at)


def _find(request: HttpRequest, token: str, at: datetime) -> TerminalFile:
    identity = credentials.of_header(request.headers.get("Authorization", ""), at=at)
    if identity is None:
        raise UploadRefused(
            "tms:unauthorised", "send the credential of the terminal: `Authorization: Bearer <uid>.<secret>`"
        )
    file = receiving.find_upload(token, terminal=identity.terminal_id)
    if file is None:
        raise UploadRefused("tms:not-found", "no such upload of this terminal")
    return file


def _post(request: HttpRequest, file: TerminalFile, at: datetime) -> HttpResponse:
    receiving.begin(file, _announced(request), at=at)
    return _with_offset(file, HttpResponse(status=201, headers={"Location": request.path}))


def _head(request: HttpRequest, file: TerminalFile, at: datetime) -> HttpResponse:
    if file.state == FileState.OFFERED:
        raise UploadRefused("tms:not-found", "the file was not announced yet; use POST")
    if file.state == FileState.RECEIVING and file.offset == file.length:
        receiving.join(file, at=at)
    if file.state == FileState.FAILED:
        raise UploadRefused("tms:upload-ended", "the file did not arrive as it was announced")
    return _with_offset(file, HttpResponse(headers={"Upload-Length": str(file.length)}))


def _patch(request: HttpRequest, file: TerminalFile, at: datetime) -> HttpResponse:
    offset = tus.number(request, "Upload-Offset")
    if not _writers.acquire(blocking=False):
        raise UploadRefused("tms:unavailable", "many files arrive at this moment; retry")
    try:
        receiving.append(file, offset, tus.body(request, limit=MAX_PART_BYTES), at=at)
    finally:
        _writers.release()
    return _with_offset(file, HttpResponse(status=204))


def _with_offset(file: TerminalFile, answer: HttpResponse) -> HttpResponse:
    return tus.with_offset(answer, file.offset, file.expires_at)


def _announced(request: HttpRequest) -> Announcement:
    told = tus.metadata(request)
    read: Callable[[str], str] = lambda name: told.get(name, b"").decode("ascii", "replace")  # noqa: E731
    sha256 = read("sha256").lower()
    if sha256 and not (len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")):
        raise UploadRefused("tms:bad-request", "sha256 of Upload-Metadata must have 64 hexadecimal digits")
    return Announcement(
        tus.number(request, "Upload-Length"),
        shown_name(told.get("filename", b"")),
        read("filetype")[:101].lower(),
        sha256,
    )
