"""Events of rollouts: their timeline, and what people and integrators are notified of."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models

from tms.lib.text_fields import LinesField
from tms.rollouts.models.rollout import Rollout
from tms.rollouts.models.wave import Wave


class RolloutEventKind(models.TextChoices):
    STARTED = "started"
    WAVE_STARTED = "wave_started"
    WAVE_PASSED = "wave_passed"
    APPROVAL_ASKED = "approval_asked"
    APPROVED = "approved"
    HELD = "held"
    RELEASED = "released"
    """Evidence fell below the hold again."""
    STOPPED = "stopped"
    CONTINUED = "continued"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    ROLLING_BACK = "rolling_back"
    ENDED = "ended"


class RolloutEventQuerySet(models.QuerySet["RolloutEvent"]):
    def undispatched(self) -> Self:
        return self.filter(dispatched_at=None)


class RolloutEvent(models.Model):
    """Added, and never changed but for `dispatched_at`."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="events")
    wave = models.ForeignKey(Wave, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=16, choices=RolloutEventKind)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    counts: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(default=dict)
    """How many items were in each state."""
    evidence = models.FloatField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    comment = LinesField(max_length=500, blank=True)
    dispatched_at = models.DateTimeField(null=True)
    """When it was decided whom to notify."""

    objects = RolloutEventQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        # Reader: the clock, once a second.
        indexes = (models.Index(fields=("id",), name="rolloutevent_new", condition=models.Q(dispatched_at=None)),)

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.kind}"
