from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class LoopSuccessQuerySet(models.QuerySet["LoopSuccess"]):
    def keep(self, limits: Mapping[str, float], *, node: str, at: datetime) -> None:
        """These loops succeeded just now. The order of the names keeps two writers from waiting for each other."""
        self.bulk_create(
            self.rows(limits, node=node, at=at),
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["node", "succeeded_at", "limit_s"],
        )

    def begin(self, limits: Mapping[str, float], *, node: str, at: datetime) -> None:
        """Loops of which nothing is known yet age from now on."""
        self.bulk_create(self.rows(limits, node=node, at=at), ignore_conflicts=True)

    def rows(self, limits: Mapping[str, float], *, node: str, at: datetime) -> list[LoopSuccess]:
        return [LoopSuccess(name=name, node=node, succeeded_at=at, limit_s=limits[name]) for name in sorted(limits)]


class LoopSuccess(models.Model):
    """When a loop of the clock last succeeded, and at which age of that it counts as stalled."""

    name = models.CharField(max_length=32, primary_key=True)
    node = models.CharField(max_length=64)
    succeeded_at = models.DateTimeField()
    limit_s = models.FloatField()

    objects = LoopSuccessQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} {self.succeeded_at:%H:%M:%S}"

    def age_s(self, at: datetime) -> float:
        return (at - self.succeeded_at).total_seconds()


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
