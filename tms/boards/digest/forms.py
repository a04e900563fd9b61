"""Forms for notes and for the sign-off of a shift digest."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from tms.accounts.access import Person, scope_of
from tms.accounts.access.owner_form import EVERYTHING_KEY, OwnerField
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine, FormLines
from tms.shifts.models import Note


class NoteTextForm(forms.Form):
    text = FormLines(max_length=Note._meta.get_field("text").max_length, widget=forms.Textarea)


class ForOwner(Plain):
    """People who may write notes for everything do so; others choose for whom, by default the first."""

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        held = scope_of(by, Permission.WRITE_NOTES)
        if held and not held.is_everything:
            self.fields["owner"] = OwnerField(by, Permission.WRITE_NOTES, None)
            self.dress()


class NoteForm(ForOwner, NoteTextForm): ...


class SignOffForm(ForOwner, forms.Form):
    """The period is that of the page on which the person clicked."""

    since = FormLine(max_length=40)
    until = FormLine(max_length=40)

    def clean_since(self) -> datetime:
        return _instant(self.cleaned_data["since"])

    def clean_until(self) -> datetime:
        return _instant(self.cleaned_data["until"])

    @property
    def owner_key(self) -> str:
        return str(self.cleaned_data.get("owner", EVERYTHING_KEY))


def _instant(text: str) -> datetime:
    """The instant with its offset, as the page sends it."""
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise forms.ValidationError(gettext("Sign off from the page of the shift digest."))
    return at
