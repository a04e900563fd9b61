"""REST operations for artifacts. Files are uploaded by tus (docs/artifacts.md)."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand_within
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.artifacts import services, uploads
from tms.artifacts.content import content_of
from tms.artifacts.installed import counts
from tms.artifacts.models import Artifact
from tms.artifacts.models.artifact import ArtifactQuerySet
from tms.artifacts.schemas import ArtifactBody, ArtifactPageSchema, ArtifactSchema, WithdrawBody
from tms.lib.pagination import Column, Keyset
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter

router = ApiRouter("artifacts")
MANAGING = Access(Permission.MANAGE_ARTIFACTS, is_idempotent=True, refusals=(409,))
READING_FILES = Access(Permission.MANAGE_ARTIFACTS)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))


class ArtifactQuery(PageQuery):
    name: str = Field("", max_length=64)
    usable: bool = Field(False, description="Only those that are not withdrawn.")


@router.get("/artifacts", summary="List artifacts", response=ArtifactPageSchema)
def list_artifacts(request: ApiRequest, response: HttpResponse, query: Query[ArtifactQuery]) -> ArtifactPageSchema:
    """Newest first. Everyone with a token reads them; `runs_on` counts the terminals that you see."""
    rows = _rows().usable() if query.usable else _rows()
    if query.name:
        rows = rows.filter(name=query.name)
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    numbers = counts(found.rows, request.person)
    shown = [ArtifactSchema.of(one, runs_on=numbers[one.pk]) for one in found.rows]
    return ArtifactPageSchema(items=shown, next=found.next)


@router.get("/artifacts/{int:pk}", summary="Read an artifact", response=ArtifactSchema)
def read_artifact(request: ApiRequest, pk: int) -> ArtifactSchema:
    return _answer(request, _artifact(pk))


@router.get("/artifacts/{int:pk}/content", summary="Download an artifact", response=bytes, access=READING_FILES)
def read_artifact_content(request: ApiRequest, pk: int) -> HttpResponseBase:
    """The file. The download is in the audit trail."""
    _demand(request)
    return content_of(_artifact(pk))


@router.post("/artifacts", summary="Add an artifact", response=ArtifactSchema, status=201, access=MANAGING)
def add_artifact(request: ApiRequest, response: HttpResponse, body: ArtifactBody) -> ArtifactSchema:
    """Name an upload that has passed its three checks. It cannot be changed afterwards."""
    _demand(request)
    upload = uploads.find(body.upload, by=request.person)
    if upload is None:
        raise unreadable(RequestFault("$.upload", "no such upload of yours; it is kept for 24 hours"))
    made = uploads.add(upload, notes=body.notes, by=request.person, at=timezone.now())
    response["Location"] = f"{request.path}/{made.pk}"
    return _answer(request, made)


@router.post("/artifacts/{int:pk}/withdraw", summary="Withdraw an artifact", response=ArtifactSchema, access=MANAGING)
def withdraw_artifact(request: ApiRequest, pk: int, body: WithdrawBody) -> ArtifactSchema:
    """Nothing new starts with it; terminals that have it keep it. Repeating it changes nothing."""
    _demand(request)
    services.withdraw(_artifact(pk), reason=body.reason, by=request.person, at=timezone.now())
    return _answer(request, _artifact(pk))


def _demand(request: ApiRequest) -> None:
    demand_within(request.person, Permission.MANAGE_ARTIFACTS, EVERYTHING)


def _rows() -> ArtifactQuerySet:
    return Artifact.objects.select_related("uploaded_by", "withdrawn_by")


def _artifact(pk: int) -> Artifact:
    found = _rows().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _answer(request: ApiRequest, artifact: Artifact) -> ArtifactSchema:
    return ArtifactSchema.of(artifact, runs_on=counts([artifact], request.person)[artifact.pk])
