"""Notes for the next shift."""

from datetime import datetime

from django.db import transaction

from tms.accounts.access.owner_form import EVERYTHING_KEY, set_owner
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.shifts.models import Note


@transaction.atomic
def write(text: str, *, by: User, at: datetime, owner: str = EVERYTHING_KEY) -> Note:
    """`owner`: a key of `owner_form`."""
    note = Note(text=text, by=by, at=at)
    set_owner(note, owner)
    note.save()
    recorder.record("created", note, {"text": (None, recorder.plain(text))})
    return note


@transaction.atomic
def edit(note: Note, text: str, *, by: User, at: datetime) -> bool:
    """Whether `by` may edit it: False if another person wrote it or it was deleted. An unchanged text is no edit."""
    own = Note.objects.filter(pk=note.pk, by=by)
    if not own.exclude(text=text).update(text=text, edited_at=at):
        return own.exists()
    recorder.record("changed", note, {"text": (recorder.plain(note.text), recorder.plain(text))})
    return True


@transaction.atomic
def delete(note: Note, *, by: User) -> bool:
    """Delete a note. Returns False if another person wrote it. Idempotent."""
    own = Note.objects.filter(pk=note.pk, by=by)
    deleted, _ = own.delete()
    if deleted:
        recorder.record("deleted", note, {"text": (recorder.plain(note.text), None)})
    return bool(deleted)
