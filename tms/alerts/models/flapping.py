"""Alerts that flap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self

from django.conf import settings
from django.db import models

from tms.alerts.models.alert import Alert
from tms.alerts.models.flap_score import FULL, stable_from


class FlappingQuerySet(models.QuerySet["Flapping"]):
    def stable(self, at: datetime) -> Self:
        """Flapping alerts that are stable now (index: flapping_stable)."""
        return self.filter(ended_at=None, stable_at__lte=at)

    def end(self, alerts: Iterable[Alert], *, at: datetime) -> None:
        """Record that they no longer flap."""
        self.filter(alert__in=[alert.pk for alert in alerts], ended_at=None).update(ended_at=at)


class Flapping(models.Model):
    """An alert flaps, or did. While it flaps it stays open, whether its rule matches or not."""

    alert = models.OneToOneField(Alert, models.CASCADE, primary_key=True, related_name="flapping")
    since = models.DateTimeField()
    changes = models.PositiveIntegerField()
    """Openings and recoveries, including those that started the flapping."""
    recent = models.JSONField()
    """The instants of the newest ones, in seconds."""
    is_failing = models.BooleanField(default=True)
    """Whether its rule matches now."""
    stable_at = models.DateTimeField()
    """When it ends without further changes."""
    ended_at = models.DateTimeField(null=True)

    objects = FlappingQuerySet.as_manager()

    class Meta:
        # Reader: lifecycle.expire_flapping.
        indexes = (
            models.Index(fields=("stable_at",), name="flapping_stable", condition=models.Q(ended_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.alert_id} {self.changes}"

    @classmethod
    def of(cls, alert_id: int, changes: list[float], *, at: datetime) -> Self:
        """A flapping that began `at`, with these changes."""
        flapping = cls(alert_id=alert_id, since=at, changes=len(changes))
        flapping._set_changes(changes)
        return flapping

    def record_change(self, *, is_failing: bool, at: datetime) -> None:
        """Its rule triggered again, or cleared."""
        self.is_failing = is_failing
        self.changes += 1
        self._set_changes([*self.recent, at.timestamp()])

    def _set_changes(self, changes: list[float]) -> None:
        self.recent = sorted(changes)[-FULL:]
        low, window_s = settings.FLAPPING_LOW_PCT / 100, settings.FLAPPING_WINDOW_S
        self.stable_at = datetime.fromtimestamp(stable_from(self.recent, low=low, window_s=window_s), UTC)
