from datetime import datetime
from typing import ClassVar, Self

from django.db import models

from tms.fleet.models import Terminal


class StruggleQuerySet(models.QuerySet["Struggle"]):
    def banned(self, at: datetime) -> Self:
        """Index: struggle_banned. Asked by every node every two seconds."""
        return self.filter(banned_until__gt=at)


class Struggle(models.Model):
    """Devices with one credential take the link of a terminal from each other, on whichever node each of them is."""

    terminal = models.OneToOneField(Terminal, on_delete=models.CASCADE, primary_key=True, related_name="+")
    taken_at = models.JSONField(default=list)
    """Takeovers that still count: seconds since the epoch."""
    banned_until = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Struggle"]] = StruggleQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["banned_until"], name="struggle_banned", condition=models.Q(banned_until__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.terminal_id}: {len(self.taken_at)} takeovers"
