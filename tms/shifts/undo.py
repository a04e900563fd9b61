"""Undo of the deletion of a note."""

from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.access import may
from tms.accounts.access.owner_form import owner_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.shifts import notes
from tms.shifts.models import Note

DELETED = "note-deleted"


def offer_restoring(note: Note, *, by: User) -> str:
    return undo.offer(DELETED, {"text": note.text, "at": note.at.isoformat(), "owner": owner_of(note).key}, by=by)


def undo_deleted(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    written_at = parse_datetime(payload["at"]) or at
    if not may(by, Permission.WRITE_NOTES) or Note.objects.filter(by=by, at=written_at).exists():
        return False
    notes.write(payload["text"], by=by, at=written_at, owner=payload["owner"])
    return True


undo.register(DELETED, undo_deleted, _("Note restored"))
