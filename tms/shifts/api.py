"""REST operations for shift digests and notes."""

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand, demand_within, visible
from tms.accounts.permissions import Permission
from tms.alerts.schemas import username
from tms.fleet.owners import OwnerSchema, owner_name, scope_of_key
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Instant, RequestSchema
from tms.shifts import models, notes
from tms.shifts.digest.digest import digest
from tms.shifts.period import MAX_PERIOD
from tms.shifts.schemas import DigestSchema, NoteSchema, SignOffSchema
from tms.shifts.sign_offs import BadPeriod, sign_off

router = ApiRouter("shifts")
WRITING = Access(Permission.WRITE_NOTES, is_idempotent=True)
EDITING = Access(Permission.WRITE_NOTES)
DEFAULT = timedelta(hours=8)


class PeriodQuery(RequestSchema):
    since: Instant | None = Field(None, description="Default: eight hours before `until`.")
    until: Instant | None = Field(None, description="Default: now.")


class NoteTextBody(RequestSchema):
    text: str = Field(min_length=1, max_length=4_000)


class NoteBody(NoteTextBody):
    owner: OwnerSchema = OwnerSchema()


class SignOffBody(RequestSchema):
    since: Instant
    until: Instant
    owner: OwnerSchema = OwnerSchema()


@router.get("/digest", summary="Read a shift digest", response=DigestSchema)
def read_digest(request: ApiRequest, query: Query[PeriodQuery]) -> DigestSchema:
    """The period must not exceed 31 days."""
    until = query.until or timezone.now()
    since = query.since or until - DEFAULT
    if not timedelta(0) < until - since <= MAX_PERIOD:
        raise unreadable(RequestFault("?since", "must be before `until`, by at most 31 days"))
    return DigestSchema.of(digest(since, until, to=request.person))


@router.post("/digest/sign-offs", summary="Sign off a shift digest", response=SignOffSchema, status=201, access=WRITING)
def sign_off_digest(request: ApiRequest, body: SignOffBody) -> SignOffSchema:
    """The period must be over, and not exceed 31 days."""
    owner = owner_name(body.owner.model_dump(), to=request.person)
    demand_within(request.person, Permission.WRITE_NOTES, scope_of_key(owner))
    try:
        signed = sign_off(body.since, body.until, by=request.person, at=timezone.now(), owner=owner)
    except BadPeriod:
        raise unreadable(RequestFault("$.since", "must be before `until`, by at most 31 days, in the past")) from None
    return SignOffSchema(at=signed.at, by=username(signed.by), since=signed.since, until=signed.until)


@router.post("/notes", summary="Write a note for the next shift", response=NoteSchema, status=201, access=WRITING)
def write_note(request: ApiRequest, response: HttpResponse, body: NoteBody) -> NoteSchema:
    owner = owner_name(body.owner.model_dump(), to=request.person)
    demand_within(request.person, Permission.WRITE_NOTES, scope_of_key(owner))
    note = notes.write(body.text, by=request.person, at=timezone.now(), owner=owner)
    response["Location"] = f"{request.path}/{note.pk}"
    return _schema(note)


@router.patch("/notes/{int:pk}", summary="Change your own note", response=NoteSchema, access=EDITING)
def edit_note(request: ApiRequest, pk: int, body: NoteTextBody) -> NoteSchema:
    if not notes.edit(_editable(request, pk), body.text, by=request.person, at=timezone.now()):
        raise Http404
    return _schema(_note(request, pk))


@router.delete("/notes/{int:pk}", summary="Delete your own note", response=None, status=204, access=EDITING)
def delete_note(request: ApiRequest, pk: int) -> None:
    if not notes.delete(_editable(request, pk), by=request.person):
        raise Http404


def _editable(request: ApiRequest, pk: int) -> models.Note:
    note = _note(request, pk)
    demand(request.person, Permission.WRITE_NOTES, note)
    return note


def _note(request: ApiRequest, pk: int) -> models.Note:
    note = visible(models.Note.objects.select_related("by"), to=request.person).filter(pk=pk).first()
    if note is None:
        raise Http404
    return note


def _schema(note: models.Note) -> NoteSchema:
    return NoteSchema(
        id=note.pk, at=note.at, by=username(note.by), text=note.text, is_edited=note.edited_at is not None
    )
