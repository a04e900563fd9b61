"""The entries of the audit trail."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField, LinesField


class Via(models.TextChoices):
    """How a change was made."""

    PAGE = "page", _("page")
    API = "api", _("API")
    COMMAND = "command", _("command line")
    CLOCK = "clock", _("TMS itself")
    TERMINAL = "terminal", _("terminal")
    LINK = "link", _("link in a message")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def unsealed(self, at: datetime | None = None) -> Self:
        """Committed, and not in the chain yet (index: audit_unsealed, read by clock). They do not depend on `at`."""
        return self.filter(number=None)


class AuditEntry(models.Model):
    """One action: who, when, from where, what and why. Written by `tms.accounts.audit.recorder`."""

    at = models.DateTimeField(_("time"), db_default=Now())
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor_name = LineField(_("who"), max_length=150, blank=True)
    """The username, which outlives the account. Empty if nobody was signed in, as on the command line.

    For a terminal its UID.
    """
    via = models.CharField(_("via"), max_length=16, choices=Via)
    token = models.ForeignKey("accounts.ApiToken", models.SET_NULL, null=True, related_name="+")
    token_name = LineField(max_length=100, blank=True, default="", db_default="")
    """The name of the API token, which it outlives like the username."""
    address = models.GenericIPAddressField(_("address"), null=True)
    action = models.CharField(_("action"), max_length=32)
    """created, changed, deleted, restored, or a verb of the subject: key-renewed, signed-in, acknowledged, exported."""
    subject_type = models.CharField(_("kind"), max_length=64)
    """The label of its model: `notifications.destination`."""
    subject_id = models.CharField(max_length=64)
    subject_name = LineField(_("what"), max_length=200)
    changes = models.JSONField(_("changes"), default=dict)
    """Field → [before, after]; secrets are masked."""
    comment = LinesField(_("why"), max_length=500, blank=True, default="", db_default="")
    """The reason that the person gave."""
    number = models.BigIntegerField(null=True, unique=True)
    """Position in the chain, from 1. Empty until it is sealed, a second or so after its transaction."""
    hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    """SHA-256 of the entry before it and of this one's content."""

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        # Readers: the history of one object; all changes of a period; the sealing job.
        indexes = (
            models.Index(fields=("subject_type", "subject_id"), name="audit_subject"),
            models.Index(fields=("at",), name="audit_at"),
            models.Index(fields=("id",), name="audit_unsealed", condition=models.Q(number__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.actor_name or self.via} {self.action} {self.subject_name}"
