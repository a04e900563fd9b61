"""What a person found at a device."""

from __future__ import annotations

import secrets
from typing import NamedTuple, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.alerts.models import Alert
from tms.fleet.models import Device, Terminal
from tms.lib.text_fields import LineField, LinesField


class InspectionResult(models.TextChoices):
    IN_ORDER = "in_order", pgettext_lazy("inspection", "In order")
    SERIAL_DIFFERS = "serial_differs", pgettext_lazy("inspection", "Serial differs")
    LOOKS_TAMPERED = "looks_tampered", pgettext_lazy("inspection", "Looks tampered")


class Surrounding(models.TextChoices):
    """What is confirmed about the surroundings of a device that is in order."""

    NO_EXTRA_PARTS = "no_extra_parts", _("No extra parts on the slot or keypad")
    CABLES = "cables", _("Cables as on the photo")
    NO_UNKNOWN_DEVICE = "no_unknown_device", _("No unknown device nearby")


class DeviceSeal(NamedTuple):
    number: str
    where: str = ""
    intact: bool = True


def photo_name(_inspection: Inspection, name: str) -> str:
    """A random name: neither the phone's nor one that can be guessed."""
    return f"inspections/{secrets.token_urlsafe(24)}.{name.rpartition('.')[2]}"


class InspectionQuerySet(models.QuerySet["Inspection"]):
    def valid(self) -> Self:
        """Inspections that no other one corrects."""
        return self.filter(superseded_at=None)


class Inspection(models.Model):
    """One per round and terminal. A correction is another row, and the corrected one stays."""

    round = models.ForeignKey("inspections.Round", models.PROTECT, related_name="inspections")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="inspections")
    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="inspections")
    """The device that was placed there then."""
    expected_serial = LineField(_("expected serial number"), max_length=64, blank=True, default="")
    seen_serial = LineField(_("serial number"), max_length=64, blank=True, default="")
    """What the person read on the label: for a device in order often its last characters."""
    seals = models.JSONField(default=list)
    """Each with `number`, `where` and `intact`."""
    surroundings = models.JSONField(default=list)
    """The values of `Surrounding` that the person confirmed."""
    photo = models.FileField(upload_to=photo_name, blank=True)
    note = LinesField(_("note"), max_length=500, blank=True, default="")
    result = models.CharField(_("result"), max_length=16, choices=InspectionResult)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    """When it was done; a phone without a link sends it later."""
    received_at = models.DateTimeField()
    key = models.UUIDField(unique=True)
    """The key of the form: what is sent again is stored once."""
    alert = models.ForeignKey(Alert, models.SET_NULL, null=True, related_name="+")
    """The alert that it opened."""
    superseded_at = models.DateTimeField(null=True)
    """When it was corrected."""

    objects = InspectionQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")
        constraints = (
            models.UniqueConstraint(
                fields=("round", "terminal"), name="inspection_once", condition=models.Q(superseded_at__isnull=True)
            ),
        )
        indexes = (
            # Readers: the start of a round and the list of devices; the page of a terminal.
            models.Index(fields=("device", "-at"), name="inspection_device"),
            models.Index(fields=("terminal", "-at"), name="inspection_terminal"),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.result}"

    def get_absolute_url(self) -> str:
        return reverse("inspection", args=(self.pk,))

    @property
    def broken_seals(self) -> int:
        return sum(not seal["intact"] for seal in self.seals)
