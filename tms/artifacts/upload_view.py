"""Where people and their programs upload artifacts: tus, with a session or an API token.

POST begins an upload, HEAD and PATCH go on at the address that it returns. `/manifest` below that takes the file that
`tms-sign` wrote.
"""

import threading
from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.artifacts import uploads
from tms.artifacts.checks import checks_of
from tms.artifacts.manifest import MAX_DESCRIPTION_BYTES, ManifestError, SignedManifest
from tms.artifacts.models import ArtifactUpload
from tms.artifacts.objects import PART_BYTES
from tms.files import tus
from tms.files.names import shown_name
from tms.files.tus import UploadRefused
from tms.rest_base.operation import Access, demand_access
from tms.rest_base.problems import ProblemError, forbidden, problem

AT_ONCE = 4
"""Parts that a process stores at a time: each is in memory."""
_writers = threading.BoundedSemaphore(AT_ONCE)

type View = Callable[[HttpRequest, User, str], HttpResponse]


def _admit(view: View) -> Callable[..., HttpResponseBase]:
    """The view for a person who may manage artifacts, by a session or an API token."""

    @never_cache
    def admitted(request: HttpRequest, key: str = "") -> HttpResponseBase:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return of_session(request, key)
        try:
            person = demand_access(request, Access(Permission.MANAGE_ARTIFACTS))
        except ProblemError as error:
            return error.answer()
        if not access.may_within(person, Permission.MANAGE_ARTIFACTS, EVERYTHING):
            return forbidden(Permission.MANAGE_ARTIFACTS).answer()
        return view(request, person, key)

    @csrf_protect
    def of_session(request: HttpRequest, key: str) -> HttpResponseBase:
        person = request.user
        if not isinstance(person, User) or not access.may_watch(person):
            return problem(401, "tms:unauthorised", "sign in, or send an API token: Authorization: Bearer tms_…")
        access.demand_within(person, Permission.MANAGE_ARTIFACTS, EVERYTHING)
        return view(request, person, key)

    return csrf_exempt(admitted)


@_admit
def uploads_view(request: HttpRequest, person: User, key: str) -> HttpResponse:
    """Begin an upload."""
    return tus.answer(request, {"POST": partial(_post, request, person)})


@_admit
def upload(request: HttpRequest, person: User, key: str) -> HttpResponse:
    """Go on with one's own upload; GET shows its checks, DELETE removes it."""
    if request.method in ("GET", "DELETE"):
        return _read(request, person, key)
    works = {"HEAD": partial(_head, person, key), "PATCH": partial(_patch, request, person, key)}
    return tus.answer(request, works)


@_admit
def upload_manifest(request: HttpRequest, person: User, key: str) -> HttpResponse:
    """The manifest of one's own upload; it may be replaced until the artifact is added."""
    if request.method != "PUT":
        return problem(405, "tms:unknown-method", "method not allowed; use PUT")
    found = uploads.find(key, by=person)
    if found is None:
        return _not_found()
    try:
        uploads.describe(found, SignedManifest.read(request.read(MAX_DESCRIPTION_BYTES + 1)))
    except ManifestError as error:
        return problem(422, "tms:bad-manifest", str(error))
    return JsonResponse(state_of(found))


def state_of(upload: ArtifactUpload) -> dict[str, object]:
    """What the page and programs show."""
    checks = checks_of(upload, at=timezone.now())
    names = ("name", "label", "is_passed", "is_failed", "text")
    return {
        "key": upload.key,
        "name": upload.name,
        "length": upload.length,
        "offset": upload.offset,
        "hashed": upload.hashed,
        "checks": [{name: getattr(check, name) for name in names} for check in checks],
        "may_be_added": all(check.is_passed for check in checks),
        "is_refused": any(check.is_failed for check in checks),
        "expires_at": upload.expires_at.isoformat(),
    }


def _read(request: HttpRequest, person: User, key: str) -> HttpResponse:
    found = uploads.find(key, by=person)
    if found is None:
        return _not_found()
    if request.method == "DELETE":
        uploads.discard(found)
        return HttpResponse(status=204)
    return JsonResponse(state_of(found))


def _not_found() -> HttpResponse:
    return problem(404, "tms:not-found", "no such upload of yours; it is kept for 24 hours")


def _find(person: User, key: str) -> ArtifactUpload:
    found = uploads.find(key, by=person)
    if found is None:
        raise UploadRefused("tms:not-found", "no such upload of yours; it is kept for 24 hours")
    return found


def _post(request: HttpRequest, person: User) -> HttpResponse:
    name = shown_name(tus.metadata(request).get("filename", b"")) if "Upload-Metadata" in request.headers else ""
    begun = uploads.begin(name or "artifact", tus.number(request, "Upload-Length"), by=person, at=timezone.now())
    answer = HttpResponse(status=201, headers={"Location": reverse("artifact-upload", args=(begun.key,))})
    return tus.with_offset(answer, 0, begun.expires_at)


def _head(person: User, key: str) -> HttpResponse:
    found = _find(person, key)
    answer = HttpResponse(headers={"Upload-Length": str(found.length)})
    return tus.with_offset(answer, found.offset, found.expires_at)


def _patch(request: HttpRequest, person: User, key: str) -> HttpResponse:
    found, offset = _find(person, key), tus.number(request, "Upload-Offset")
    if not _writers.acquire(blocking=False):
        raise UploadRefused("tms:unavailable", "many files arrive at this moment; retry")
    try:
        uploads.append(found, offset, tus.body(request, limit=PART_BYTES), at=timezone.now())
    finally:
        _writers.release()
    return tus.with_offset(HttpResponse(status=204), found.offset, found.expires_at)
