import base64
import secrets
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.audit import recorder
from tms.lib import encryption
from tms.lib.severity import Severity
from tms.lib.text_fields import LineField
from tms.notifications.weekly_hours import HoursOfWeek

KEY_BYTES = 32
MOST_SHOWN = 500


class DestinationKind(models.TextChoices):
    EMAIL = "email", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")
    SNS = "sns", _("Amazon SNS")
    CHAT = "chat", _("Chat or pager")


OPEN_KINDS = frozenset({DestinationKind.EMAIL, DestinationKind.SNS})
"""Whose address is no secret."""


class DestinationQuerySet(models.QuerySet["Destination"]):
    def kept(self) -> Self:
        """Those that were not deleted."""
        return self.filter(deleted_at=None)

    def enabled(self) -> Self:
        return self.filter(enabled=True)


class Destination(HoursOfWeek):
    """Where notifications go. What of it is a secret is sealed: `address` is what may be shown."""

    name = LineField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=DestinationKind)
    address = LineField(_("address"), max_length=MOST_SHOWN)
    sealed = models.TextField(default="", editable=False)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="destinations",
        verbose_name=_("of this person"),
        help_text=_("Reached by it while on call."),
    )
    critical_anyway = models.BooleanField(_("critical ones all the same"), default=True, db_default=True)
    """Also in its quiet hours: those that it has as a `HoursOfWeek`."""
    enabled = models.BooleanField(_("enabled"), default=True)
    failures = models.PositiveIntegerField(default=0, editable=False)
    """In a row."""
    retry_at = models.DateTimeField(null=True, editable=False)
    """Nothing is sent there before."""

    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = DestinationQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        constraints = (
            models.UniqueConstraint(
                fields=("name",), condition=models.Q(deleted_at=None), name="destination_name_once"
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(enabled=False), name="destination_deleted_is_off"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("destination", args=(self.pk,))

    def secrets(self) -> dict[str, str]:
        """Raises tms.lib.encryption.DecryptionError."""
        return encryption.decrypt(self.sealed)

    def quiet_until(self, severity: str, *, at: datetime) -> datetime | None:
        """When its quiet hours are over; None when it may be told of such an alert at once."""
        hours = self.hours
        if hours is None or not hours.is_open(at) or (self.critical_anyway and severity == Severity.CRITICAL):
            return None
        return hours.next_change(at)

    def put(self, address: str) -> None:
        """Send there from now on."""
        if self.kind in OPEN_KINDS:
            self.address = address
            return
        self.address = shown(address)
        self._seal(url=address)

    def new_key(self) -> str:
        """The key by which a webhook's receiver knows TMS, to be shown this once."""
        key = "whsec_" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        self._seal(key=key)
        return key

    def renew_key(self) -> str:
        """Another key, saved; the former one counts no more."""
        with recorder.change(self, "key-renewed"):
            key = self.new_key()
            self.save(update_fields=("sealed",))
        return key

    def _seal(self, **changed: Any) -> None:
        try:
            kept = self.secrets()
        except encryption.DecryptionError:
            kept = {}
        self.sealed = encryption.encrypt(kept | changed)


def shown(url: str) -> str:
    """What of an address may be seen: paths, queries and names before an @ are keys at many services."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets that are no address, a port that is no number
        return "…"
    host = parts.hostname if parts.scheme in {"http", "https"} else ""
    shown_port = f":{port}" if host and port else ""
    return f"{parts.scheme}://{host or ''}{shown_port}{'/' if host else ''}…"[:MOST_SHOWN]
