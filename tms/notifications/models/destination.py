"""Destinations of notifications."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import scope_of
from tms.accounts.audit import recorder
from tms.accounts.models import Owned, one_owner
from tms.accounts.scope import NOTHING, Scope
from tms.lib import encryption
from tms.lib.severity import Severity
from tms.lib.text_fields import LineField
from tms.notifications import transports
from tms.notifications.transports import TRANSPORTS, Recipient, ServiceTransport, Transport
from tms.notifications.transports.fields import Values
from tms.notifications.weekly_hours import HoursOfWeek

KEY_BYTES = 32
OF_BROWSERS = models.Q(kind="push")
MAX_SHOWN = 500


class EventFamily(models.TextChoices):
    """Events of the fleet that a destination may subscribe to; `fleet_events.sources` has the types of each."""

    LIFECYCLE = "lifecycle", _("States of terminals, closed sites")
    PLACEMENT = "placement", _("Devices placed, replaced or swapped; terminals moved")
    ENROLMENT = "enrolment", _("First connections, keys issued or revoked")
    IDENTITY = "identity", _("Unexpected devices, new serial numbers and firmware")
    PRESENCE = "presence", _("Presence")
    COMMANDS = "commands", _("Outcomes of commands")
    JOBS = "jobs", _("Jobs started, failing, ended")
    ROLLOUTS = "rollouts", _("Rollouts started, held, stopped, ended")


class DestinationQuerySet(models.QuerySet["Destination"]):
    def not_deleted(self) -> Self:
        """The destinations of the pages and the API, where people enter them."""
        return self.filter(deleted_at=None).exclude(OF_BROWSERS)

    def browsers(self) -> Self:
        """Browsers of people, in which they allowed notifications."""
        return self.filter(OF_BROWSERS, deleted_at=None)

    def enabled(self) -> Self:
        return self.filter(enabled=True)


class Destination(Owned, HoursOfWeek):
    """Where notifications go. Secrets are encrypted: `address` is the part that may be shown."""

    name = LineField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=transports.choices)
    address = LineField(_("address"), max_length=MAX_SHOWN)
    encrypted_secrets = models.TextField(default="", editable=False)
    public_values: models.JSONField[Values, Values] = models.JSONField(default=dict, db_default={}, editable=False)
    """The values of the fields of its transport that are no secrets."""
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="destinations",
        verbose_name=_("person on call"),
        help_text=_("Notified here while on call."),
    )
    critical_anyway = models.BooleanField(_("always deliver critical alerts"), default=True, db_default=True)
    """Sent also during its quiet hours: those of `HoursOfWeek`."""
    enabled = models.BooleanField(_("enabled"), default=True)
    events = models.JSONField(
        _("events of the fleet"), default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    """The families of events that it gets, by `EventFamily`: those of the terminals and sites that its owner sees."""
    failures = models.PositiveIntegerField(default=0, editable=False)
    """Consecutive failures."""
    retry_at = models.DateTimeField(null=True, editable=False)
    """Nothing is sent before this time."""

    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = DestinationQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        constraints = (
            one_owner("destination_one_owner"),
            models.UniqueConstraint(
                fields=("name",), condition=models.Q(deleted_at=None) & ~OF_BROWSERS, name="destination_name_once"
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(enabled=False), name="destination_deleted_is_off"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("destination", args=(self.pk,))

    @property
    def transport(self) -> Transport:
        return TRANSPORTS[self.kind]

    @property
    def is_one_by_one(self) -> bool:
        """Each alert has messages of its own. False for a kind of a newer release."""
        return self.kind in TRANSPORTS and self.transport.is_one_by_one

    @property
    def follows_alerts(self) -> bool:
        """It gets each acknowledgement and recovery."""
        return self.kind in TRANSPORTS and self.transport.follows_alerts

    @property
    def is_browser(self) -> bool:
        return self.kind in TRANSPORTS and self.transport.is_of_browser

    @property
    def audience(self) -> Scope:
        """What its messages may be about: for a browser, what its person sees now."""
        if not self.is_browser:
            return self.owner
        return scope_of(self.person) if self.person else NOTHING

    def secrets(self) -> dict[str, str]:
        """Raises DecryptionError."""
        return encryption.decrypt(self.encrypted_secrets)

    def recipient(self) -> Recipient:
        """What its transport needs. Raises DecryptionError."""
        secrets = self.secrets()
        address = secrets.get("url", "") if self.transport.is_address_secret else self.address
        return Recipient(address, secrets, self.public_values)

    def quiet_until(self, severity: str, *, at: datetime) -> datetime | None:
        """End of its quiet hours; None if an alert of this severity may be sent at once."""
        hours = self.hours
        if hours is None or not hours.is_open(at) or (self.critical_anyway and severity == Severity.CRITICAL):
            return None
        return hours.next_change(at)

    def set_address(self, address: str) -> None:
        """Set the address without saving the destination. `address` was cleaned by the transport."""
        if not self.transport.is_address_secret:
            self.address = address
            return
        self.address = redacted(address)
        self._encrypt(url=address)

    def saved_values(self) -> Values:
        """The values of the fields of its transport; without secrets that cannot be decrypted."""
        try:
            return {**self.public_values, **self.secrets()}
        except encryption.DecryptionError:
            return self.public_values

    def set_values(self, values: Values) -> None:
        """Set the values of its transport without saving the destination. `values` were cleaned, by name of the
        field; a secret without one stays as it is.
        """
        fields = self.transport.fields
        assert isinstance(self.transport, ServiceTransport)
        self.public_values = {field.name: values.get(field.name, "") for field in fields if not field.is_secret}
        self.address = self.transport.shown(self.public_values)
        self._encrypt(
            **{field.name: values[field.name] for field in fields if field.is_secret and values.get(field.name)}
        )

    def set_secrets(self, **secrets: str) -> None:
        """Set the secrets beside the address. Not saved yet."""
        self._encrypt(**secrets)

    def new_key(self) -> str:
        """A signing key by which the receiver recognises TMS, to be shown once. Not saved yet."""
        key = "whsec_" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        self._encrypt(key=key)
        return key

    def renew_key(self) -> str:
        """Replace the signing key, and save."""
        with recorder.change(self, "key-renewed"):
            key = self.new_key()
            self.save(update_fields=("encrypted_secrets",))
        return key

    def _encrypt(self, **changed: str) -> None:
        try:
            secrets = self.secrets()
        except encryption.DecryptionError:
            secrets = {}
        self.encrypted_secrets = encryption.encrypt(secrets | changed)


def redacted(url: str) -> str:
    """The part of an address that may be shown: many services use paths, queries or names before an @ as keys."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets that are no address, a port that is no number
        return "…"
    host = parts.hostname if parts.scheme in {"http", "https"} else ""
    shown_port = f":{port}" if host and port else ""
    return f"{parts.scheme}://{host or ''}{shown_port}{'/' if host else ''}…"[:MAX_SHOWN]
