"""The confirmation of a dangerous command: a reason, and for the last working lane the number of the terminal."""

from typing import Any

from django import forms
from django.utils.translation import gettext

from tms.fleet.models import Terminal
from tms.lib.text_fields import FormLine

REASON_LENGTH = 200


class ConfirmationForm(forms.Form):
    reason = FormLine(max_length=REASON_LENGTH, required=False)
    typed = FormLine(max_length=64, required=False)

    def __init__(self, data: Any = None, *, terminal: Terminal, is_last_lane: bool) -> None:
        super().__init__(data)
        self.number = number_of(terminal)
        self._accepted = {terminal.uid.casefold(), self.number.casefold()} if is_last_lane else None

    @property
    def must_be_typed(self) -> bool:
        return self._accepted is not None

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if self._accepted is not None and typed.strip().casefold() not in self._accepted:
            raise forms.ValidationError(gettext("Type %(number)s to confirm.") % {"number": self.number})
        return typed


def number_of(terminal: Terminal) -> str:
    """The UID without the code of its site: `GTE-06` of `SJK-GTE-06`."""
    return terminal.uid.removeprefix(f"{terminal.site.code}-")
