"""The confirmation of an action with a wide effect: a reason, and where nobody can approve it, a typed word."""

from collections.abc import Sequence

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from tms.lib.text_fields import FormLine

REASON_LENGTH = 200


class ConfirmationForm(forms.Form):
    reason = FormLine(max_length=REASON_LENGTH, required=False)
    typed = FormLine(max_length=64, required=False)

    def __init__(self, data: QueryDict | None = None, *, words: Sequence[str] = (), needs_reason: bool = False) -> None:
        """Any of `words` confirms it; the first is shown."""
        super().__init__(data)
        self.words = words
        self.needs_reason = self.fields["reason"].required = needs_reason

    @property
    def word(self) -> str:
        return self.words[0] if self.words else ""

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if self.words and typed.strip().casefold() not in {word.casefold() for word in self.words}:
            raise forms.ValidationError(gettext("Type %(number)s to confirm.") % {"number": self.word})
        return typed
