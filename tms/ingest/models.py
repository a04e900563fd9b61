"""Counters of takeovers, which all nodes share."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models

from tms.fleet.models import Terminal


class TakeoverCounterQuerySet(models.QuerySet["TakeoverCounter"]):
    def banned(self, at: datetime) -> Self:
        """The banned terminals (index: takeovercounter_banned). Every node polls them every two seconds."""
        return self.filter(banned_until__gt=at)


class TakeoverCounter(models.Model):
    """Recent takeovers of a terminal's link, counted across nodes."""

    terminal = models.OneToOneField(Terminal, on_delete=models.CASCADE, primary_key=True, related_name="+")
    taken_at = models.JSONField(default=list)
    """Takeovers that still count, in seconds since the epoch."""
    banned_until = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["TakeoverCounter"]] = TakeoverCounterQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["banned_until"], name="takeovercounter_banned", condition=models.Q(banned_until__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.terminal_id}: {len(self.taken_at)} takeovers"
