from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField


class Via(models.TextChoices):
    """How a change was made."""

    PAGE = "page", _("page")
    API = "api", _("API")
    COMMAND = "command", _("command line")


class AuditEntry(models.Model):
    """One change to the configuration of TMS: who, when, from where, what. Written by `tms.accounts.audit.recorder`."""

    at = models.DateTimeField(_("time"), db_default=Now())
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor_name = LineField(_("who"), max_length=150, blank=True)
    """The username, which outlives the account. Empty if nobody was signed in, as on the command line."""
    via = models.CharField(_("via"), max_length=16, choices=Via)
    token = models.ForeignKey("accounts.ApiToken", models.SET_NULL, null=True, related_name="+")
    address = models.GenericIPAddressField(_("address"), null=True)
    action = models.CharField(_("action"), max_length=32)
    """created, changed, deleted, restored, or a verb of the subject: key-renewed, revoked, cancelled."""
    subject_type = models.CharField(_("kind"), max_length=64)
    """The label of its model: `notifications.destination`."""
    subject_id = models.CharField(max_length=64)
    subject_name = LineField(_("what"), max_length=200)
    changes = models.JSONField(_("changes"), default=dict)
    """Field → [before, after]; secrets are masked."""

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        # Readers: the history of one object; all changes of a period.
        indexes = (
            models.Index(fields=("subject_type", "subject_id"), name="audit_subject"),
            models.Index(fields=("at",), name="audit_at"),
        )

    def __str__(self) -> str:
        return f"{self.actor_name or self.via} {self.action} {self.subject_name}"
