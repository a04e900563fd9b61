"""Where terminals upload files: tus 1.0.0 (tus.io) with the extensions *creation* and *expiration*.

The file is announced with POST at the address that the command named, and the same address receives it: HEAD returns
the offset, PATCH appends. The token in the address is not enough: the terminal proves itself by its key, too.
"""

import base64
import binascii
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from tms.config.aws import is_unreachable
from tms.files import receiving
from tms.files.models import FileState, TerminalFile
from tms.files.names import shown_name
from tms.files.offers import MAX_PART_BYTES
from tms.files.receiving import Announcement, UploadRefused
from tms.fleet.credentials import services as credentials
from tms.lib.db.clock import db_clock
from tms.lib.hashing import hash_token
from tms.protocol import credential
from tms.rest_base.problems import problem

log = structlog.get_logger(__name__)

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"
METHODS = "HEAD, OPTIONS, PATCH, POST"
MAX_METADATA = 4_096
AT_ONCE = 8
"""Bodies that a process stores at a time: each is in memory."""
RETRY_AFTER_S = "5"
STATUSES: Mapping[str, int] = {
    "tms:unauthorised": 401,
    "tms:not-found": 404,
    "tms:upload-not-begun": 409,
    "tms:upload-offset": 409,
    "tms:upload-used": 409,
    "tms:upload-ended": 410,
    "tms:upload-version": 412,
    "tms:upload-too-large": 413,
    "tms:upload-type": 415,
    "tms:upload-checksum": 422,
    "tms:bad-request": 422,
    "tms:upload-limit": 429,
    "tms:unavailable": 503,
    "tms:upload-full": 507,
}
_writers = threading.BoundedSemaphore(AT_ONCE)


@csrf_exempt  # a terminal has a key, and no cookies
@never_cache
def upload(request: HttpRequest, token: str) -> HttpResponse:
    """One file of one command. Refusals are problem documents."""
    try:
        answer = _answer(request, token)
    except UploadRefused as refused:
        answer = problem(STATUSES[refused.code], refused.code, refused.detail)
        _add_refusal_headers(answer, refused.code)
    except Exception as error:
        if not is_unreachable(error):
            raise
        log.warning("files_unreachable", error=repr(error))
        answer = problem(503, "tms:unavailable", "the storage is not responding; retry")
        answer["Retry-After"] = RETRY_AFTER_S
    answer["Tus-Resumable"] = VERSION
    return answer


def _add_refusal_headers(answer: HttpResponse, code: str) -> None:
    if code == "tms:unauthorised":
        answer["WWW-Authenticate"] = 'Bearer realm="tms"'
    if code == "tms:upload-version":
        answer["Tus-Version"] = VERSION
    if code == "tms:unavailable":
        answer["Retry-After"] = RETRY_AFTER_S
    if code == "tms:upload-limit":
        answer["Retry-After"] = "3600"


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    if request.method == "OPTIONS":
        return _options()
    work = {"HEAD": _head, "PATCH": _patch, "POST": _post}.get(request.method or "")
    if work is None:
        answer: HttpResponse = problem(405, "tms:unknown-method", f"method not allowed; use {METHODS}")
        answer["Allow"] = METHODS
        return answer
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UploadRefused("tms:upload-version", f"send `Tus-Resumable: {VERSION}`")
    at = db_clock().now()
    return work(request, _find(request, token, at), at)


def _options() -> HttpResponse:
    headers = {"Tus-Version": VERSION, "Tus-Extension": "creation,expiration", "Allow": METHODS}
    return HttpResponse(status=204, headers=headers)


def _find(request: HttpRequest, token: str, at: datetime) -> TerminalFile:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    offered = credential.parse(text.strip()) if scheme.lower() == "bearer" else None
    digest = hash_token(offered.secret) if offered else ""
    key = credentials.find([digest], at=at).get(digest) if offered else None
    if key is None:
        raise UploadRefused(
            "tms:unauthorised", "send the credential of the terminal: `Authorization: Bearer <uid>.<secret>`"
        )
    file = receiving.find_upload(token, terminal=key.identity.terminal_id)
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
    if request.headers.get("Content-Type") != CONTENT_TYPE:
        raise UploadRefused("tms:upload-type", f"send `Content-Type: {CONTENT_TYPE}`")
    offset = _number(request, "Upload-Offset")
    if not _writers.acquire(blocking=False):
        raise UploadRefused("tms:unavailable", "many files arrive at this moment; retry")
    try:
        receiving.append(file, offset, _body(request), at=at)
    finally:
        _writers.release()
    return _with_offset(file, HttpResponse(status=204))


def _body(request: HttpRequest) -> bytes:
    """The body, or a byte more than is allowed of it, which `append` refuses."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_PART_BYTES:
        raise UploadRefused("tms:upload-too-large", f"a body has at most {MAX_PART_BYTES} bytes; send several")
    return request.read(MAX_PART_BYTES + 1)


def _with_offset(file: TerminalFile, answer: HttpResponse) -> HttpResponse:
    answer["Upload-Offset"] = str(file.offset)
    answer["Upload-Expires"] = http_date(file.expires_at.timestamp())
    return answer


def _number(request: HttpRequest, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise UploadRefused("tms:bad-request", f"{name} must be a number of bytes")
    return int(text)


def _announced(request: HttpRequest) -> Announcement:
    told = _metadata(request.headers.get("Upload-Metadata", ""))
    read: Callable[[str], str] = lambda name: told.get(name, b"").decode("ascii", "replace")  # noqa: E731
    sha256 = read("sha256").lower()
    if sha256 and not (len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")):
        raise UploadRefused("tms:bad-request", "sha256 of Upload-Metadata must have 64 hexadecimal digits")
    return Announcement(
        _number(request, "Upload-Length"), shown_name(told.get("filename", b"")), read("filetype")[:101].lower(), sha256
    )


def _metadata(text: str) -> dict[str, bytes]:
    """Pairs of a key and a value in base64, as tus says."""
    if len(text) > MAX_METADATA:
        raise UploadRefused("tms:bad-request", f"Upload-Metadata must have at most {MAX_METADATA} characters")
    found = {}
    for pair in text.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise UploadRefused("tms:bad-request", "Upload-Metadata must be pairs of a key and base64") from None
    return found
