"""What people enter for the transport of a destination: an address, or values of its own.

The form renders these fields, and the service validates with them.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import FormLine
from tms.notifications.models.destination import Destination
from tms.notifications.transports.fields import TransportField

UNCHANGED = _("Leave empty to keep the current one: %(address)s")
UNCHANGED_SECRET = _("Saved and encrypted. Leave empty to keep it.")
ADDRESS = "address"
VALUE = "fields."
"""Prefix of the values, as in REST: any name may also be one of a column."""


class EntryField(FormLine):
    """A text that its transport cleans, once its length is right."""

    def __init__(self, cleaned: Callable[[str], str], *, keeps_lines: bool = False, **options: Any) -> None:
        super().__init__(strip=True, **options)
        self.keeps_lines = keeps_lines
        self.cleaned = cleaned
        self.widget.attrs["autocomplete"] = "off"

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        return self.cleaned(text) if text else text


def entry_fields(destination: Destination) -> dict[str, forms.Field]:
    """The fields by name: `address`, or the names of the values of its transport with their prefix."""
    transport = destination.transport
    if not transport.fields:
        return {ADDRESS: _address_field(destination)}
    saved = destination.saved_values() if destination.pk else {}
    return {VALUE + field.name: _value_field(field, saved.get(field.name, "")) for field in transport.fields}


def _address_field(destination: Destination) -> EntryField:
    transport, is_stored = destination.transport, destination.pk is not None
    return EntryField(
        transport.clean_address,
        label=str(transport.address_label),
        help_text=UNCHANGED % {"address": destination.address} if is_stored else str(transport.address_hint),
        max_length=2_000,
        required=not is_stored,
    )


def _value_field(field: TransportField, saved: str) -> forms.Field:
    """A secret that is saved is not shown, and may be omitted."""
    label, hint = str(field.label), str(field.hint)
    if field.choices:
        return forms.ChoiceField(label=label, help_text=hint, choices=field.choices, initial=saved, required=False)
    is_stored = field.is_secret and bool(saved)
    made = EntryField(
        field.cleaned,
        keeps_lines=field.is_long,
        label=label,
        help_text=f"{UNCHANGED_SECRET} {hint}" if is_stored else hint,
        max_length=field.max_length,
        required=field.is_required and not is_stored,
        initial="" if field.is_secret else saved,
        widget=_widget(field),
    )
    made.widget.attrs["placeholder"] = field.example
    return made


def _widget(field: TransportField) -> forms.Widget:
    """A secret is not shown while it is entered; one of several lines cannot be hidden."""
    if field.is_long:
        return forms.Textarea(attrs={"rows": 5, "spellcheck": "false"})
    return forms.PasswordInput() if field.is_secret else forms.TextInput()
