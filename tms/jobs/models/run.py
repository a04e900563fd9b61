"""Runs: each start of a job, with the members of then."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.fleet.models import Terminal
from tms.jobs.models.job import KEPT_FOR, Job


class RunQuerySet(models.QuerySet["JobRun"]):
    def going(self) -> Self:
        """Runs with items that wait or are sent (index: run_going)."""
        return self.filter(ended_at=None)

    def old(self, at: datetime) -> Self:
        return self.filter(ended_at__lt=at - KEPT_FOR)

    def wholly_within(self, scope: Scope) -> Self:
        """The runs of which a person with this scope sees every terminal, so that numbers say nothing of others."""
        if scope.is_everything:
            return self
        items = self.model._meta.get_field("items").related_model._default_manager.filter(run=models.OuterRef("pk"))
        seen = within(Terminal.objects.all(), scope)
        return self.filter(models.Exists(items), ~models.Exists(items.exclude(terminal__in=seen)))


class JobRun(models.Model):
    job = models.ForeignKey(Job, models.CASCADE, related_name="runs")
    since = models.DateTimeField()
    """The planned start, which makes it unique: two clocks never start a run twice."""
    until = models.DateTimeField()
    """When items that still wait expire."""
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    """Why it has no items: `query`, `group`, `too_many`, `grown`."""

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("job", "since"), name="run_once"),)
        # Reader: the clock, twice a second.
        indexes = (models.Index(fields=("id",), name="run_going", condition=models.Q(ended_at=None)),)

    def __str__(self) -> str:
        return f"{self.job_id} {self.since:%Y-%m-%d %H:%M}"
