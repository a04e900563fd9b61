"""Notes for the next shift."""

from datetime import datetime

from tms.accounts.models import User
from tms.shifts.models import Note


def write(text: str, *, by: User, at: datetime) -> Note:
    return Note.objects.create(text=text, by=by, at=at)


def edit(note: Note, text: str, *, by: User, at: datetime) -> bool:
    """False when it is somebody else's, or is gone. What stays as it is was not edited."""
    own = Note.objects.filter(pk=note.pk, by=by)
    return bool(own.exclude(text=text).update(text=text, edited_at=at)) or own.exists()


def delete(note: Note, *, by: User) -> bool:
    """False when it is somebody else's. To do it again changes nothing."""
    own = Note.objects.filter(pk=note.pk, by=by)
    deleted, _ = own.delete()
    return bool(deleted)
