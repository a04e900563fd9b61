"""Moments at which the state of boards was recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.utils.translation import pgettext_lazy


class Comparison(models.TextChoices):
    """What the replay of a recorded moment was found to be."""

    EQUAL = "equal", pgettext_lazy("replay", "Equal")
    DIFFERS = "differs", pgettext_lazy("replay", "Differs")
    DELETED = "deleted", pgettext_lazy("replay", "Terminals or people were deleted since")


class MomentQuerySet(models.QuerySet["RecordedMoment"]):
    def uncompared(self) -> Self:
        """The moments that were not compared with a replay yet (index: recordedmoment_uncompared)."""
        return self.filter(compared_at=None)

    def recorded(self, since: datetime, until: datetime) -> Self:
        """The moments within this time, oldest first (index: recordedmoment_at)."""
        return self.filter(at__gte=since, at__lt=until).order_by("at", "pk")


class RecordedMoment(models.Model):
    """What the boards of a node had been sent at one instant, as a hash, to compare replays with."""

    at = models.DateTimeField()
    node = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    """SHA-256 of the canonical form (`tms.replay.recorded.shown_state`)."""
    shown: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """What the hash was made of; of many alerts only the totals."""
    existed: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """How many terminals there were, and the people it names: replays lack those that were deleted since."""
    visible: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Which rows of the history were committed (`tms.replay.visibility`)."""
    compared_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=16, choices=Comparison, blank=True, default="")
    difference = models.TextField(blank=True, default="")
    """What differs, for operators of TMS."""

    objects = MomentQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("at",), name="recordedmoment_at"),
            # Reader: the clock's loop `replay_compare`.
            models.Index(
                fields=("id",), name="recordedmoment_uncompared", condition=models.Q(compared_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.node}"
