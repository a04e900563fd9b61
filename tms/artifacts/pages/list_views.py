"""The page with the list of artifacts, and the uploads of the person who looks at it."""

from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.artifacts import uploads
from tms.artifacts.installed import counts
from tms.artifacts.models import Artifact, ArtifactUpload, SigningKey
from tms.artifacts.models.artifact import ArtifactQuerySet
from tms.artifacts.upload_view import state_of
from tms.artifacts.uploads import CannotAdd
from tms.protocol.text import clean

PAGE = 50
MAX_WORDS = 64


@dataclass(frozen=True, slots=True)
class ArtifactLine:
    artifact: Artifact
    runs_on: int


@require_safe
@never_cache
@sign_in_required
def artifacts(request: AuthenticatedRequest) -> HttpResponse:
    """Artifacts by product, newest first. `q` finds names, versions, hashes and models; `after` turns pages."""
    words = clean(request.GET.get("q", ""))[:MAX_WORDS].strip()
    form = clean(request.GET.get("format", ""))
    rows = _matching(words).filter(**({"format": form} if form else {}))
    begin = _number(request.GET.get("after", ""))
    found = list(rows.order_by("name", "-pk").select_related("uploaded_by", "withdrawn_by")[begin : begin + PAGE + 1])
    shown, numbers = found[:PAGE], counts(found[:PAGE], request.user)
    lines = (ArtifactLine(one, numbers[one.pk]) for one in shown)
    values = {
        "nav_item": "rollouts",
        "words": words,
        "format": form,
        "formats": list(Artifact.objects.order_by("format").values_list("format", flat=True).distinct()),
        "shown": shown,
        "groups": [(name, list(group)) for name, group in groupby(lines, lambda line: line.artifact.name)],
        "artifacts": Artifact.objects.count(),
        "first": begin + 1,
        "last": begin + len(shown),
        "older": urlencode({"q": words, "format": form, "after": begin + PAGE}) if len(found) > PAGE else "",
        "may_manage": may_manage(request.user),
        "uploads": _uploads(request.user),
        "has_keys": SigningKey.objects.trusted().exists(),
    }
    return render(request, "artifacts/artifacts.html", values)


@require_POST
@needs(Permission.MANAGE_ARTIFACTS)
def add_artifact(request: AuthenticatedRequest, key: str) -> HttpResponse:
    """Make an upload that has passed its checks an artifact."""
    access.demand_within(request.user, Permission.MANAGE_ARTIFACTS, EVERYTHING)
    upload = uploads.find(key, by=request.user)
    if upload is None:
        raise Http404
    notes = clean(request.POST.get("notes", ""), keeps_lines=True)[:2_000]
    try:
        made = uploads.add(upload, notes=notes, by=request.user, at=timezone.now())
    except CannotAdd:
        return redirect("artifacts")  # the page shows the check
    return redirect(made)


def may_manage(person: User) -> bool:
    return access.may_within(person, Permission.MANAGE_ARTIFACTS, EVERYTHING)


def _matching(words: str) -> ArtifactQuerySet:
    rows = Artifact.objects.all()
    for word in words.split():
        of_model = Q(for_models__icontains=word)
        rows = rows.filter(Q(name__icontains=word) | Q(version__icontains=word) | Q(sha256__startswith=word) | of_model)
    return rows


def _uploads(person: User) -> list[dict[str, object]]:
    if not may_manage(person):
        return []
    return [state_of(one) for one in ArtifactUpload.objects.filter(by=person)]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
