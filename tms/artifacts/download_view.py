"""Where terminals download artifacts from the disk of TMS. A bucket serves them itself, without a node.

Behind nginx the node only decides: nginx sends the file, so that a node that drains ends no download.
"""

import threading
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.storage import storages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from tms.artifacts import downloads
from tms.artifacts.models import Artifact
from tms.artifacts.ranges import NotSatisfiable, Range, requested
from tms.fleet.credentials import services as credentials
from tms.fleet.credentials.services import TerminalIdentity
from tms.lib.db.clock import db_clock
from tms.lib.per_process import per_process
from tms.rest_base.problems import ProblemError

CHUNK = 2**17
BUSY_RETRY_S = "30"
INTERNAL = "/artifact-files/"
"""The location of nginx; nobody reaches it from outside."""


class Slots:
    """Downloads of this process: so many in all, and so many of a site, whose line they share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_sites: Counter[int] = Counter()

    def take(self, site: int) -> bool:
        with self._lock:
            is_full = self._of_sites.total() >= settings.DOWNLOADS_AT_ONCE
            if is_full or self._of_sites[site] >= settings.DOWNLOADS_PER_SITE:
                return False
            self._of_sites[site] += 1
            return True

    def give_back(self, site: int) -> None:
        with self._lock:
            self._of_sites[site] -= 1
            self._of_sites += Counter()  # drops sites without downloads


@per_process
def slots() -> Slots:
    return Slots()


class Download(StreamingHttpResponse):
    """Bytes of a file. It holds a slot until it is sent, or its client has gone."""

    def __init__(self, file: IO[bytes], wanted: Range, site: int, **options: Any) -> None:
        super().__init__(_chunks(file, wanted), content_type="application/octet-stream", **options)
        self._file, self._site = file, site

    def close(self) -> None:
        super().close()
        if not self._file.closed:
            self._file.close()
            slots().give_back(self._site)


@csrf_exempt  # a terminal has a key, and no cookies
@never_cache
def download(request: HttpRequest, token: str) -> HttpResponseBase:
    """One artifact for one terminal. Refusals are problem documents."""
    try:
        return _answer(request, token)
    except ProblemError as error:
        return error.answer()


def _answer(request: HttpRequest, token: str) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        raise ProblemError(
            405, "tms:unknown-method", "method not allowed; use GET or HEAD", headers={"Allow": "GET, HEAD"}
        )
    grant = downloads.read(token)
    if grant is None:
        raise ProblemError(404, "tms:not-found", "no such download")
    at = db_clock().now()
    identity = credentials.of_header(request.headers.get("Authorization", ""), at=at)
    if identity is None:
        detail = "send the credential of the terminal: `Authorization: Bearer <uid>.<secret>`"
        raise ProblemError(401, "tms:unauthorised", detail, headers={"WWW-Authenticate": 'Bearer realm="tms"'})
    artifact = _find(grant, identity, at)
    if settings.ARTIFACTS_BY_NGINX:
        return HttpResponse(
            content_type="application/octet-stream", headers={"X-Accel-Redirect": INTERNAL + str(artifact.file.name)}
        )
    return _file(request, artifact, identity.site_id)


def _find(grant: downloads.DownloadGrant, identity: TerminalIdentity, at: datetime) -> Artifact:
    """Raises ProblemError."""
    if grant.terminal != identity.terminal_id:
        raise ProblemError(404, "tms:not-found", f"no such download of {identity.uid}")
    artifact = Artifact.objects.filter(pk=grant.artifact).first()
    if artifact is None or grant.ends_at <= at:
        detail = f"this address ended at {grant.ends_at:%Y-%m-%d %H:%M} UTC, with its command; order the update again"
        raise ProblemError(410, "tms:download-ended", detail)
    if artifact.withdrawn_at:
        raise ProblemError(410, "tms:download-ended", f"{artifact} was withdrawn")
    return artifact


def _file(request: HttpRequest, artifact: Artifact, site: int) -> HttpResponseBase:
    etag = f'"{artifact.sha256}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag}
    wanted = _wanted(request, artifact, etag)
    whole = Range(0, artifact.size)
    headers["Content-Length"] = str((wanted or whole).end - (wanted or whole).begin)
    if wanted:
        headers["Content-Range"] = f"bytes {wanted.begin}-{wanted.end - 1}/{artifact.size}"
    if request.method == "HEAD":
        return HttpResponse(content_type="application/octet-stream", headers=headers)
    if not slots().take(site):
        detail = "many terminals download at this moment; retry after Retry-After seconds"
        raise ProblemError(429, "tms:too-busy", detail, headers={"Retry-After": BUSY_RETRY_S})
    try:
        file = storages["artifacts"].open(str(artifact.file.name))
    except BaseException:
        slots().give_back(site)
        raise
    return Download(file, wanted or whole, site, status=206 if wanted else 200, headers=headers)


def _wanted(request: HttpRequest, artifact: Artifact, etag: str) -> Range | None:
    """Raises ProblemError."""
    header = request.headers.get("Range", "")
    if not header or request.method == "HEAD" or request.headers.get("If-Range", etag) != etag:
        return None
    try:
        return requested(header, artifact.size)
    except NotSatisfiable:
        detail = f"the file has {artifact.size} bytes"
        raise ProblemError(
            416, "tms:bad-range", detail, headers={"Content-Range": f"bytes */{artifact.size}"}
        ) from None


async def _chunks(file: IO[bytes], wanted: Range) -> AsyncIterator[bytes]:
    await sync_to_async(file.seek)(wanted.begin)
    remaining = wanted.end - wanted.begin
    while remaining and (data := await sync_to_async(file.read)(min(CHUNK, remaining))):
        remaining -= len(data)
        yield data
