from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.fleet.models import Terminal


class CommandState(models.TextChoices):
    QUEUED = "queued", pgettext_lazy("command", "Queued")
    SENT = "sent", pgettext_lazy("command", "Sent")
    DONE = "done", pgettext_lazy("command", "Done")
    FAILED = "failed", pgettext_lazy("command", "Failed")
    EXPIRED = "expired", pgettext_lazy("command", "Expired")


class CommandQuerySet(models.QuerySet["Command"]):
    def deliverable(self, at: datetime) -> Self:
        return self.filter(state=CommandState.QUEUED, deliver_before__gt=at)

    def overdue(self, at: datetime) -> Self:
        """Queued too long, or sent and not answered in time (index: command_due, read by clock)."""
        return self.filter(state__in=(CommandState.QUEUED, CommandState.SENT), due_at__lte=at)


class Command(models.Model):
    """A request to a terminal. `due_at` is when it expires in its present state."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="commands")
    name = models.CharField(_("command"), max_length=64)
    args = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=CommandState, default=CommandState.QUEUED)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(_("created at"))
    answer_within_s = models.FloatField(_("answer within (seconds)"), default=30)
    deliver_before = models.DateTimeField(_("deliver if back before"))
    due_at = models.DateTimeField(null=True)
    session = models.BigIntegerField(default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    result = models.JSONField(_("result"), null=True)
    error = models.CharField(_("error"), max_length=500, blank=True)

    objects = CommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        indexes = (
            models.Index(
                fields=("due_at",),
                name="command_due",
                condition=models.Q(state__in=(CommandState.QUEUED, CommandState.SENT)),
            ),
            models.Index(fields=("terminal", "-created_at"), name="command_terminal"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.terminal_id}"
