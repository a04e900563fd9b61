"""The form of a destination, with the fields of its transport."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import choosable
from tms.accounts.access.owner_form import OwnedForm
from tms.accounts.display_names import colleagues
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain, free_name
from tms.lib.text_fields import FormLine, FormLines
from tms.notifications.models.destination import Destination
from tms.notifications.soft_delete import services as soft_delete
from tms.notifications.transports import ServiceTransport
from tms.notifications.transports.fields import TransportField
from tms.notifications.weekly_hours import HOURS_FIELDS, fault_in_hours, hours_form_fields

UNCHANGED = _("Leave empty to keep the current one: %(address)s")
UNCHANGED_SECRET = _("Saved and encrypted. Leave empty to keep it.")
OWN = "own-"
"""Prefix of the fields of a transport: any name may also be one of the form."""
ADDRESS = frozenset({"address", "encrypted_secrets", "public_values"})
"""The columns of what people enter for its transport."""


class DestinationForm(Plain, OwnedForm[Destination]):
    permission = Permission.EDIT_DESTINATIONS
    where = FormLine(max_length=2_000, strip=True)

    class Meta:
        model = Destination
        fields = ("name", "language", "person", "enabled", "critical_anyway", *HOURS_FIELDS)

    field_order = ("name", "where", "language", "person", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.transport.fields:
            del self.fields["where"]
            saved = self.instance.saved_values() if self.instance.pk else {}
            fields = self.instance.transport.fields
            self.fields |= {OWN + field.name: _own_field(field, saved.get(field.name, "")) for field in fields}
        else:
            self._address_field(self.fields["where"])
        current = [self.instance.person_id] if self.instance.person_id else []
        self.fields["person"].queryset = choosable(colleagues(), current, to=self.by)  # type: ignore[attr-defined]
        self.fields |= hours_form_fields(self.instance)
        self.dress()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if fault := fault_in_hours(cleaned, are_needed=False):
            self.add_error(*fault)
        self._check_own(cleaned)
        return cleaned

    def clean_name(self) -> str:
        return free_name(Destination.objects.not_deleted(), self.cleaned_data["name"], self.instance)

    def clean_where(self) -> str:
        where: str = self.cleaned_data["where"]
        return self.instance.transport.clean_address(where) if where else where

    def save(self, commit: bool = True) -> Destination:
        if where := self.cleaned_data.get("where"):
            self.instance.set_address(where)
        if self.instance.transport.fields:
            self.instance.set_values(self._own_values(self.cleaned_data))
        with soft_delete.change(self.instance):
            destination: Destination = super().save(commit)
        return destination

    @property
    def columns(self) -> set[str]:
        is_entered = self.cleaned_data.get("where") or self.instance.transport.fields
        return super().columns | (ADDRESS if is_entered else set())

    @property
    def own_fields(self) -> Iterator[forms.BoundField]:
        """The fields of its transport, in their order."""
        return (self[OWN + field.name] for field in self.instance.transport.fields)

    def _address_field(self, where: forms.Field) -> None:
        transport = self.instance.transport
        where.label, where.help_text = str(transport.address_label), str(transport.address_hint)
        where.widget.attrs["autocomplete"] = "off"
        if self.instance.pk:
            where.required = False
            where.help_text = UNCHANGED % {"address": self.instance.address}

    def _own_values(self, cleaned: dict[str, Any]) -> dict[str, str]:
        """The values of its transport as they were entered; of a choice without one, the first."""
        fields = self.instance.transport.fields
        entered = {field.name: cleaned.get(OWN + field.name) or "" for field in fields}
        return entered | {
            field.name: field.choices[0][0] for field in fields if field.choices and not entered[field.name]
        }

    def _check_own(self, cleaned: dict[str, Any]) -> None:
        """One by one, and then together with the secrets that stay."""
        transport = self.instance.transport
        for field in transport.fields:
            if fault := field.fault(cleaned.get(OWN + field.name) or ""):
                self.add_error(OWN + field.name, fault)
        if not isinstance(transport, ServiceTransport) or self.errors:
            return
        entered = {name: value for name, value in self._own_values(cleaned).items() if value}
        secrets = {field.name for field in transport.fields if field.is_secret}
        stored = {name: value for name, value in self.instance.saved_values().items() if name in secrets}
        for name, fault in transport.faults(stored | entered):
            self.add_error(OWN + name, fault)


def _own_field(field: TransportField, saved: str) -> forms.Field:
    """A secret that is saved is not shown, and may be omitted."""
    label, hint = str(field.label), str(field.hint)
    if field.choices:
        return forms.ChoiceField(label=label, help_text=hint, choices=field.choices, initial=saved, required=False)
    is_stored = field.is_secret and bool(saved)
    made = (FormLines if field.is_long else FormLine)(
        label=label,
        help_text=f"{UNCHANGED_SECRET} {hint}" if is_stored else hint,
        max_length=field.max_length,
        required=field.is_required and not is_stored,
        initial="" if field.is_secret else saved,
        strip=True,
        widget=_widget(field),
    )
    made.widget.attrs |= {"autocomplete": "off", "placeholder": field.example}
    return made


def _widget(field: TransportField) -> forms.Widget:
    """A secret is not shown while it is entered; one of several lines cannot be hidden."""
    if field.is_long:
        return forms.Textarea(attrs={"rows": 5, "spellcheck": "false"})
    return forms.PasswordInput() if field.is_secret else forms.TextInput()
