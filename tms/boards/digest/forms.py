from typing import Any

from django import forms

from tms.accounts.access import Person, scope_of
from tms.accounts.access.owner_form import OwnerField
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLines
from tms.shifts.models import Note


class NoteTextForm(forms.Form):
    text = FormLines(max_length=Note._meta.get_field("text").max_length, widget=forms.Textarea)


class NoteForm(Plain, NoteTextForm):
    """People who may write notes for everything do so; others choose for whom, by default the first."""

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        held = scope_of(by, Permission.WRITE_NOTES)
        if held and not held.is_everything:
            self.fields["owner"] = OwnerField(by, Permission.WRITE_NOTES, None)
            self.dress()
