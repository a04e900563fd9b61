"""What processes store about themselves: heartbeats, successes of loops, and observations of the SLO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, models, transaction


class Heartbeat(models.Model):
    """The last heartbeat of a background loop, so that `/health/` of any process shows whether it runs."""

    name = models.CharField(max_length=32, primary_key=True)
    node = models.CharField(max_length=64)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class LoopSuccessQuerySet(models.QuerySet["LoopSuccess"]):
    def record(self, limits: Mapping[str, float], *, node: str, at: datetime) -> None:
        """Record that these loops succeeded now. Ordered by name, so that two writers cannot deadlock."""
        self.bulk_create(
            self.rows(limits, node=node, at=at),
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["node", "succeeded_at", "limit_s"],
        )

    def begin(self, limits: Mapping[str, float], *, node: str, at: datetime) -> None:
        """The age of loops without a success counts from now on."""
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
    """The number of observations of an indicator at or below a bound and above the previous one."""

    indicator: str
    outcome: str
    bound_s: float
    number: int


class SloSampleQuerySet(models.QuerySet["SloSample"]):
    @transaction.atomic
    def add(self, observed: Sequence[Observed], *, since: datetime) -> None:
        """Add these to the slot that began `since`; other processes add to it, too."""
        began = connection.ops.adapt_datetimefield_value(since)
        rows = [(one.indicator, one.outcome, began, one.bound_s, one.number) for one in observed]
        # The ORM can overwrite a row, but not insert or add in one statement.
        table = self.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} (indicator, outcome, since, bound_s, number) VALUES (%s, %s, %s, %s, %s) "
                "ON CONFLICT (indicator, outcome, since, bound_s) "
                f"DO UPDATE SET number = {table}.number + excluded.number",
                rows,
            )


class SloSample(models.Model):
    """A histogram of each SLO indicator per ten minutes, of all processes together."""

    indicator = models.CharField(max_length=16)
    outcome = models.CharField(max_length=8)
    since = models.DateTimeField()
    bound_s = models.FloatField()
    """Upper bound of the bucket; twice the last bound for observations beyond it."""
    number = models.PositiveIntegerField()

    objects = SloSampleQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("since", "indicator", "outcome", "bound_s"), name="slosample_once"),
        )

    def __str__(self) -> str:
        return f"{self.indicator} {self.outcome} {self.since:%Y-%m-%d %H:%M}"
