"""The stored responses to requests that a client repeats."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models


class IdempotencyRecordQuerySet(models.QuerySet["IdempotencyRecord"]):
    def abandoned(self, before: datetime) -> Self:
        """Requests that began before this and never got a response."""
        return self.filter(status=None, begun_at__lt=before)


class IdempotencyRecord(models.Model):
    """The response to a person's request with this `Idempotency-Key`. Without a status the request is still running."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    """SHA-256 of the request: the same key for another request is an error."""
    begun_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers: models.JSONField[dict[str, object], dict[str, object]] = models.JSONField(default=dict)
    body = models.TextField(default="")

    objects = IdempotencyRecordQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person", "key"), name="idempotencyrecord_once"),)
        # Reader: the clock, which purges.
        indexes = (models.Index(fields=("begun_at",), name="idempotencyrecord_begun"),)

    def __str__(self) -> str:
        return f"{self.person_id} {self.key}"
