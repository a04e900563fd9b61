"""Browsers in which people get notifications, and what they chose for them."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import Through
from tms.lib import encryption
from tms.lib.severity import Severity
from tms.lib.text_fields import LineField
from tms.notifications.models.destination import Destination
from tms.notifications.transports import Recipient

PURPOSE = b"tms.notifications.push"
"""Part of the key that encrypts the private keys: it must not change."""


class PushKey(models.Model):
    """A key pair (VAPID, RFC 8292) by which push services recognise TMS. A subscription belongs to one for good."""

    public_key = models.CharField(max_length=100, unique=True)
    """Base64url, as browsers take it."""
    encrypted_secrets = models.TextField(editable=False)
    created_at = models.DateTimeField()
    is_current = models.BooleanField(default=True, db_default=True)
    """New subscriptions get it; older ones stay valid for theirs."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("is_current",), condition=models.Q(is_current=True), name="push_key_one_current"
            ),
        )

    def __str__(self) -> str:
        return self.public_key[:16]

    def private_key(self) -> str:
        """PEM. Raises DecryptionError."""
        return encryption.decrypt(self.encrypted_secrets, purpose=PURPOSE)["private"]


class DeviceQuerySet(models.QuerySet["PushDevice"]):
    def of(self, person: object) -> Self:
        """The browsers of a person, newest first."""
        return self.filter(destination__person=person).select_related("destination").order_by("-pk")


class PushDevice(models.Model):
    """A browser of a person, subscribed at its push service. Its address and keys are secrets of the destination."""

    destination = models.OneToOneField(Destination, models.CASCADE, related_name="device")
    name = LineField(_("name"), max_length=100)
    is_mobile = models.BooleanField(default=False)
    address_digest = models.CharField(max_length=64, unique=True)
    """SHA-256 in hexadecimal: a browser subscribes once, and its page recognises itself by it."""
    key = models.ForeignKey(PushKey, models.PROTECT, related_name="devices")
    created_at = models.DateTimeField()

    scope_path = Through("destination", "notifications.Destination")

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("browser")
        verbose_name_plural = _("browsers")

    def __str__(self) -> str:
        return self.name

    def recipient(self) -> Recipient:
        """What its transport needs, with the key by which its push service recognises TMS. Raises DecryptionError."""
        to = self.destination.recipient()
        vapid = {"vapid": self.key.private_key(), "vapid_public": self.key.public_key}
        return to._replace(secrets={**to.secrets, **vapid})


def default_severities() -> list[str]:
    return [Severity.CRITICAL.value]


class DevicePreferences(models.Model):
    """What a person is notified of in their browsers."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="device_preferences")
    severities = models.JSONField(_("severities"), default=default_severities, blank=True)
    area = models.CharField(_("part of the fleet"), max_length=120, blank=True, default="", db_default="")
    """Key of a scope (`tms.accounts.access.grant_scopes`); empty for everything that the person sees."""
    is_only_on_call = models.BooleanField(_("only while on call"), default=False, db_default=False)

    class Meta:
        verbose_name = _("preferences for browsers")
        verbose_name_plural = _("preferences for browsers")

    def __str__(self) -> str:
        return str(self.person_id)
