"""Notes for the next shift."""

from datetime import datetime

from tms.accounts.access.owner_form import EVERYTHING, set_owner
from tms.accounts.models import User
from tms.shifts.models import Note


def write(text: str, *, by: User, at: datetime, owner: str = EVERYTHING) -> Note:
    """`owner`: a key of `owner_form`."""
    note = Note(text=text, by=by, at=at)
    set_owner(note, owner)
    note.save()
    return note


def edit(note: Note, text: str, *, by: User, at: datetime) -> bool:
    """Whether `by` may edit it: False if another person wrote it or it was deleted. An unchanged text is no edit."""
    own = Note.objects.filter(pk=note.pk, by=by)
    return bool(own.exclude(text=text).update(text=text, edited_at=at)) or own.exists()


def delete(note: Note, *, by: User) -> bool:
    """False if another person wrote it. Idempotent."""
    own = Note.objects.filter(pk=note.pk, by=by)
    deleted, _ = own.delete()
    return bool(deleted)
