"""The protocol of uploads that can be resumed: tus 1.0.0 (tus.io) with the extensions *creation* and *expiration*."""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date

from tms.config.aws import is_unreachable
from tms.rest_base.problems import problem

log = structlog.get_logger(__name__)

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"
METHODS = "HEAD, OPTIONS, PATCH, POST"
MAX_METADATA = 4_096
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


class UploadRefused(Exception):
    """The text says what is expected."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


type Work = Callable[[], HttpResponse]


def answer(request: HttpRequest, methods: Mapping[str, Work]) -> HttpResponse:
    """What the function of the method answers. Refusals are problem documents."""
    try:
        given = _answer(request, methods)
    except UploadRefused as refused:
        given = problem(STATUSES[refused.code], refused.code, refused.detail)
        _add_refusal_headers(given, refused.code)
    except Exception as error:
        if not is_unreachable(error):
            raise
        log.warning("files_unreachable", error=repr(error))
        given = problem(503, "tms:unavailable", "the storage is not responding; retry")
        given["Retry-After"] = RETRY_AFTER_S
    given["Tus-Resumable"] = VERSION
    return given


def _answer(request: HttpRequest, methods: Mapping[str, Work]) -> HttpResponse:
    if request.method == "OPTIONS":
        headers = {"Tus-Version": VERSION, "Tus-Extension": "creation,expiration", "Allow": METHODS}
        return HttpResponse(status=204, headers=headers)
    work = methods.get(request.method or "")
    if work is None:
        refusal: HttpResponse = problem(405, "tms:unknown-method", f"method not allowed; use {METHODS}")
        refusal["Allow"] = METHODS
        return refusal
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UploadRefused("tms:upload-version", f"send `Tus-Resumable: {VERSION}`")
    return work()


def _add_refusal_headers(answer: HttpResponse, code: str) -> None:
    if code == "tms:unauthorised":
        answer["WWW-Authenticate"] = 'Bearer realm="tms"'
    if code == "tms:upload-version":
        answer["Tus-Version"] = VERSION
    if code == "tms:unavailable":
        answer["Retry-After"] = RETRY_AFTER_S
    if code == "tms:upload-limit":
        answer["Retry-After"] = "3600"


def with_offset(answer: HttpResponse, offset: int, expires_at: datetime) -> HttpResponse:
    answer["Upload-Offset"] = str(offset)
    answer["Upload-Expires"] = http_date(expires_at.timestamp())
    return answer


def body(request: HttpRequest, *, limit: int) -> bytes:
    """The body, or a byte more than is allowed, which is refused when it is stored. Raises UploadRefused."""
    if request.headers.get("Content-Type") != CONTENT_TYPE:
        raise UploadRefused("tms:upload-type", f"send `Content-Type: {CONTENT_TYPE}`")
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise UploadRefused("tms:upload-too-large", f"a body has at most {limit} bytes; send several")
    return request.read(limit + 1)


def number(request: HttpRequest, name: str) -> int:
    """Raises UploadRefused."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise UploadRefused("tms:bad-request", f"{name} must be a number of bytes")
    return int(text)


def metadata(request: HttpRequest) -> dict[str, bytes]:
    """Pairs of a key and a value in base64, as tus says. Raises UploadRefused."""
    text = request.headers.get("Upload-Metadata", "")
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
