"""Devices, and where each served when."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByDevice, ByTerminal
from tms.fleet.models.site import Site
from tms.fleet.models.terminal import Terminal
from tms.lib.text_fields import LineField, LinesField


class DeviceState(models.TextChoices):
    SPARE = "spare", pgettext_lazy("device", "Spare")
    IN_SERVICE = "in_service", pgettext_lazy("device", "In service")
    IN_REPAIR = "in_repair", pgettext_lazy("device", "In repair")
    RETIRED = "retired", pgettext_lazy("device", "Retired")
    LOST = "lost", pgettext_lazy("device", "Lost")


AFTER_REMOVAL = (DeviceState.SPARE, DeviceState.IN_REPAIR, DeviceState.RETIRED, DeviceState.LOST)
"""What a device may become when it leaves a terminal."""


class Device(models.Model):
    """The hardware that serves as a terminal for a time. Its serial number is empty until it reported one."""

    serial = LineField(_("serial number"), max_length=64, blank=True, default="")
    manufacturer = LineField(_("manufacturer"), max_length=64, blank=True, default="")
    model = LineField(_("model"), max_length=64, blank=True, default="")
    state = models.CharField(_("state"), max_length=16, choices=DeviceState, default=DeviceState.SPARE)
    site = models.ForeignKey(
        Site, models.PROTECT, null=True, blank=True, related_name="devices", verbose_name=_("site")
    )
    """The site of its terminal, or where a spare is kept. Without one, only people of the whole fleet see it."""
    note = LinesField(_("note"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    scope_path = ByDevice()

    class Meta:
        ordering = ("serial", "pk")
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = (
            models.UniqueConstraint(
                fields=("serial",),
                name="device_serial",
                condition=~models.Q(serial=""),
                violation_error_message=_("Another device has this serial number."),
            ),
        )

    def __str__(self) -> str:
        return self.serial or f"#{self.pk}"


class PlacementQuerySet(models.QuerySet["Placement"]):
    def open(self) -> Self:
        """Devices that serve now (indexes: placement_open_terminal, placement_open_device)."""
        return self.filter(ended_at=None)


class Placement(models.Model):
    """A device served as a terminal, from when until when."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="placements")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="placements")
    began_at = models.DateTimeField(_("began at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """The person who placed it; None if the device connected."""

    objects = PlacementQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        ordering = ("-began_at", "-pk")
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        constraints = (
            models.UniqueConstraint(
                fields=("terminal",), name="placement_open_terminal", condition=models.Q(ended_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=("device",), name="placement_open_device", condition=models.Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(
                name="placement_order",
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("began_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.device_id} at {self.terminal_id}"
