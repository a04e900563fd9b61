from typing import Any

from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.accounts.access.owner_form import OwnedForm
from tms.accounts.audit import recorder
from tms.accounts.display_names import colleagues
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain, free_name
from tms.lib.text_fields import FormLine
from tms.notifications.models.destination import Destination
from tms.notifications.weekly_hours import HOURS_FIELDS, fault_in_hours, hours_form_fields

UNCHANGED = _("Leave empty to keep the current one: %(address)s")


class DestinationForm(Plain, OwnedForm[Destination]):
    permission = Permission.EDIT_DESTINATIONS
    where = FormLine(max_length=2_000, strip=True)

    class Meta:
        model = Destination
        fields = ("name", "language", "person", "enabled", "critical_anyway", *HOURS_FIELDS)

    field_order = ("name", "where", "language", "person", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        transport, where = self.instance.transport, self.fields["where"]
        where.label, where.help_text = str(transport.address_label), str(transport.address_hint)
        where.widget.attrs["autocomplete"] = "off"
        if self.instance.pk:
            where.required = False
            where.help_text = UNCHANGED % {"address": self.instance.address}
        self.fields["person"].queryset = visible(colleagues(), to=self.by)  # type: ignore[attr-defined]
        self.fields |= hours_form_fields(self.instance)
        self.dress()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if fault := fault_in_hours(cleaned, are_needed=False):
            self.add_error(*fault)
        return cleaned

    def clean_name(self) -> str:
        return free_name(Destination.objects.not_deleted(), self.cleaned_data["name"], self.instance)

    def clean_where(self) -> str:
        where: str = self.cleaned_data["where"]
        return self.instance.transport.clean_address(where) if where else where

    def save(self, commit: bool = True) -> Destination:
        if where := self.cleaned_data["where"]:
            self.instance.set_address(where)
        with recorder.change(self.instance):
            destination: Destination = super().save(commit)
        return destination
