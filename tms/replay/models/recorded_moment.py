from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import pgettext_lazy


class Comparison(models.TextChoices):
    """What the replay of a recorded moment was found to be."""

    EQUAL = "equal", pgettext_lazy("replay", "Equal")
    DIFFERS = "differs", pgettext_lazy("replay", "Differs")
    DELETED = "deleted", pgettext_lazy("replay", "Terminals or people were deleted since")


class RecordedMoment(models.Model):
    """A table that TMS no longer writes or reads: a migration may remove it."""

    at = models.DateTimeField()
    node = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    shown: models.JSONField[Any, Any] = models.JSONField(default=dict)
    existed: models.JSONField[Any, Any] = models.JSONField(default=dict)
    visible: models.JSONField[Any, Any] = models.JSONField(default=dict)
    compared_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=16, choices=Comparison, blank=True, default="")
    difference = models.TextField(blank=True, default="")

    class Meta:
        indexes = (
            models.Index(fields=("at",), name="recordedmoment_at"),
            models.Index(
                fields=("id",), name="recordedmoment_uncompared", condition=models.Q(compared_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.node}"
