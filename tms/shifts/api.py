"""What one shift hands over to the next."""

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.accounts.permissions import Permission
from tms.alerts.schemas import username
from tms.rest.operation import Called, Right
from tms.rest.problems import Fault, unreadable
from tms.rest.router import Routes
from tms.rest.schemas import Asked, Instant
from tms.shifts import models, notes
from tms.shifts.digest.digest import digest
from tms.shifts.schemas import Digest, Note

routes = Routes("shifts")
WRITING = Right(Permission.WRITE_NOTES, is_kept=True)
EDITING = Right(Permission.WRITE_NOTES)
USUAL, LONGEST = timedelta(hours=8), timedelta(days=31)


class Span(Asked):
    since: Instant | None = Field(None, description="Eight hours before the end, if it is not named.")
    until: Instant | None = Field(None, description="Now, if it is not named.")


class NoteBody(Asked):
    text: str = Field(min_length=1, max_length=4_000)


@routes.look("/digest", summary="Read the digest of a shift", answer=Digest)
def read_digest(request: Called, asked: Query[Span]) -> Digest:
    """Of at most 31 days."""
    until = asked.until or timezone.now()
    since = asked.since or until - USUAL
    if not timedelta(0) < until - since <= LONGEST:
        raise unreadable(Fault("?since", "it lies before `until`, by at most 31 days"))
    return Digest.of(digest(since, until, to=request.person))


@routes.act("/notes", summary="Write a note for the next shift", answer=Note, status=201, right=WRITING)
def write_note(request: Called, response: HttpResponse, body: NoteBody) -> Note:
    note = notes.write(body.text, by=request.person, at=timezone.now())
    response["Location"] = f"{request.path}/{note.pk}"
    return _told(note)


@routes.act("/notes/{int:pk}", method="PATCH", summary="Change a note of one's own", answer=Note, right=EDITING)
def edit_note(request: Called, pk: int, body: NoteBody) -> Note:
    if not notes.edit(_note(request, pk), body.text, by=request.person, at=timezone.now()):
        raise Http404
    return _told(_note(request, pk))


@routes.act(
    "/notes/{int:pk}", method="DELETE", summary="Take away a note of one's own", answer=None, status=204, right=EDITING
)
def delete_note(request: Called, pk: int) -> None:
    if not notes.delete(_note(request, pk), by=request.person):
        raise Http404


def _note(request: Called, pk: int) -> models.Note:
    note = visible(models.Note.objects.select_related("by"), to=request.person).filter(pk=pk).first()
    if note is None:
        raise Http404
    return note


def _told(note: models.Note) -> Note:
    return Note(id=note.pk, at=note.at, by=username(note.by), text=note.text, is_edited=note.edited_at is not None)
