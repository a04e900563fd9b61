from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, models, transaction


class Beat(models.Model):
    """A sign of life of a background loop, so that `/health/` in any process can tell whether it runs."""

    name = models.CharField(max_length=32, primary_key=True)
    node = models.CharField(max_length=64)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class Observed(NamedTuple):
    """So many observations of a stage that lie at or below a bound and above the one before it."""

    stage: str
    outcome: str
    bound_s: float
    number: int


class PromiseQuerySet(models.QuerySet["Promise"]):
    @transaction.atomic
    def add(self, observed: Sequence[Observed], *, since: datetime) -> None:
        """Count these in the slot that began `since`, on top of what other processes counted there."""
        began = connection.ops.adapt_datetimefield_value(since)
        rows = [(one.stage, one.outcome, began, one.bound_s, one.number) for one in observed]
        # The ORM can overwrite what is there, but not add to it in one statement.
        table = self.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} (stage, outcome, since, bound_s, number) VALUES (%s, %s, %s, %s, %s) "  # noqa: S608  (the name is our own)
                f"ON CONFLICT (stage, outcome, since, bound_s) DO UPDATE SET number = {table}.number + excluded.number",
                rows,
            )


class Promise(models.Model):
    """How the published objective was kept: a histogram of each stage for each ten minutes, of all processes."""

    stage = models.CharField(max_length=16)
    outcome = models.CharField(max_length=8)
    since = models.DateTimeField()
    bound_s = models.FloatField()
    """Upper bound of the bucket; twice the last one for what lies beyond it."""
    number = models.PositiveIntegerField()

    objects = PromiseQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("since", "stage", "outcome", "bound_s"), name="promise_once"),)

    def __str__(self) -> str:
        return f"{self.stage} {self.outcome} {self.since:%Y-%m-%d %H:%M}"
