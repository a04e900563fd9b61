"""The forms that put another device in the place of a terminal's device."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Case, QuerySet, Value, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import may, permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.devices import placements
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.manage.forms import ReasonForm, RemovalForm, terminal_field
from tms.fleet.models import Device, DeviceState, Placement, Terminal
from tms.lib.db.natural_order import natural
from tms.lib.text_fields import FormLine

MAX_SPARES = 20
"""Spare devices to choose from; others are entered by their serial number."""
OTHER = "other"


class ReplaceForm(RemovalForm):
    """A spare device, or another one by its serial number."""

    device = forms.ChoiceField(label=_("New device"), widget=forms.RadioSelect)
    serial = FormLine(label=_("Serial number"), max_length=64, required=False)

    field_order = ("device", "serial", "becomes", "comment")

    def __init__(self, data: Any = None, *, terminal: Terminal, placed: Device | None, by: User) -> None:
        self.terminal, self.placed, self.by = terminal, placed, by
        self.spares = list(spares_for(terminal, by=by)[:MAX_SPARES])
        initial = {"device": self.spares[0].pk if self.spares else OTHER, "becomes": DeviceState.IN_REPAIR.value}
        super().__init__(data, serial=placed.serial if placed else None, initial=initial)
        choices = [*((str(device.pk), str(device)) for device in self.spares), (OTHER, _("Another device"))]
        self.fields["device"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("device") == OTHER and "serial" in cleaned:
            try:
                self._check_serial(cleaned["serial"])
            except ValidationError as error:
                self.add_error("serial", error)
        return cleaned

    def _check_serial(self, serial: str) -> None:
        if not serial:
            raise ValidationError(gettext("Enter the serial number of the new device."))
        known = Device.objects.filter(serial=serial).first()
        if known is None:
            return
        if known == self.placed:
            raise ValidationError(gettext("This device serves here already."))
        if served := Placement.objects.open().filter(device=known).select_related("terminal").first():
            raise ValidationError(placed_text(served.terminal, by=self.by))
        if not may(self.by, Permission.MANAGE_TERMINALS, known):
            raise ValidationError(gettext("This device is kept where you may not manage terminals."))

    def chosen_device(self) -> Device:
        """The device, created if nobody knew its serial number. Call it in a transaction, on a valid form."""
        chosen: str = self.cleaned_data["device"]
        if chosen == OTHER:
            return placements.known_device(self.cleaned_data["serial"])
        return next(device for device in self.spares if str(device.pk) == chosen)


def spares_for(terminal: Terminal, *, by: User) -> QuerySet[Device]:
    """Spare devices that the person manages: those of the same model first, then those at the site."""
    mine = permitted(Device.objects.filter(state=DeviceState.SPARE), by=by, permission=Permission.MANAGE_TERMINALS)
    same_model = Case(When(model=terminal.model, then=Value(0)), default=Value(1))
    same_site = Case(When(site=terminal.site_id, then=Value(0)), default=Value(1))
    return mine.select_related("site").order_by(same_model, same_site, "serial", "pk")


def placed_text(serves_as: Terminal, *, by: User) -> str:
    """Why a device cannot be placed. A terminal that the person does not see is not named."""
    if not visible(Terminal.objects.filter(pk=serves_as.pk), to=by).exists():
        return gettext("This device serves as another terminal.")
    text = gettext("This device serves as %(uid)s. Swap the devices of both, or replace that one first.")
    return text % {"uid": serves_as.uid}


class SwapForm(ReasonForm):
    other = terminal_field(_("Other terminal"), permission=Permission.MANAGE_TERMINALS)

    field_order = ("other", "comment")

    def __init__(self, data: Any = None, *, terminal: Terminal, by: User) -> None:
        super().__init__(data)
        others = Terminal.objects.order_by(natural("uid")).exclude(pk=terminal.pk).exclude(lifecycle=Lifecycle.RETIRED)
        mine = permitted(others, by=by, permission=Permission.MANAGE_TERMINALS)
        self.fields["other"].queryset = mine  # type: ignore[attr-defined]
