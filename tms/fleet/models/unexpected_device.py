"""Devices that connected as a terminal without being placed there."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.fleet.models.credential import Credential
from tms.fleet.models.terminal import Terminal
from tms.lib.text_fields import LineField


class Decision(models.TextChoices):
    NONE = "", pgettext_lazy("unexpected device", "Open")
    CONFIRMED = "confirmed", pgettext_lazy("unexpected device", "Confirmed")
    BLOCKED = "blocked", pgettext_lazy("unexpected device", "Blocked")
    GONE = "gone", pgettext_lazy("unexpected device", "The placed device is back")


class UnexpectedQuerySet(models.QuerySet["UnexpectedDevice"]):
    def undecided(self) -> Self:
        """Devices that a person should look at (index: unexpected_undecided)."""
        return self.filter(decision=Decision.NONE)


class UnexpectedDevice(models.Model):
    """A device with another serial number than the placed one used the key of a terminal. Its reports are stored."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="unexpected_devices")
    serial = LineField(_("serial number"), max_length=64)
    model = LineField(_("model"), max_length=64, blank=True, default="")
    address = models.GenericIPAddressField(_("address"), null=True)
    expected_serial = LineField(_("expected serial number"), max_length=64, blank=True, default="")
    serves_as = models.ForeignKey(Terminal, models.SET_NULL, null=True, related_name="+")
    """The other terminal as which a device with this serial number is placed."""
    credential = models.ForeignKey(Credential, models.SET_NULL, null=True, related_name="+")
    """The key that it used."""
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    decision = models.CharField(_("decision"), max_length=16, choices=Decision, blank=True, default=Decision.NONE)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = UnexpectedQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        ordering = ("-first_seen_at", "-pk")
        verbose_name = _("unexpected device")
        verbose_name_plural = _("unexpected devices")
        constraints = (
            models.UniqueConstraint(
                fields=("terminal", "serial"), name="unexpected_undecided", condition=models.Q(decision="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.serial} at {self.terminal_id}"
