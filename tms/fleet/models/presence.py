"""The history of presence."""

from __future__ import annotations

from django.db import models

from tms.accounts.scope import ByTerminal
from tms.fleet.models.states import Cause, Presence
from tms.fleet.models.terminal import Terminal


class PresenceChange(models.Model):
    """History of presence: the timeline, the presence band, recent changes."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="presence_changes", db_index=False)
    at = models.DateTimeField()
    presence = models.CharField(max_length=16, choices=Presence)
    before = models.CharField(max_length=16, choices=Presence)
    cause = models.CharField(max_length=24, choices=Cause, default=Cause.NONE, blank=True)
    back_at = models.DateTimeField(null=True)
    session = models.BigIntegerField(default=0)

    scope_path = ByTerminal("terminal")

    class Meta:
        indexes = (
            models.Index(fields=("terminal", "-at"), name="presencechange_terminal"),
            models.Index(fields=("-at",), name="presencechange_at"),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.before} → {self.presence}"
