"""Events of jobs: what the person who started one, and integrators, are notified of."""

from __future__ import annotations

from typing import Self

from django.db import models

from tms.jobs.models.job import Job
from tms.jobs.models.run import JobRun


class JobEventKind(models.TextChoices):
    STARTED = "started"
    FAILING = "failing"
    ENDED = "ended"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    TRIED = "tried"
    """It was tried on one terminal, and waits until somebody resumes it."""
    MISSED = "missed"
    """It did not start: the run before was going, or its time was over."""


class JobEventQuerySet(models.QuerySet["JobEvent"]):
    def undispatched(self) -> Self:
        return self.filter(dispatched_at=None)


class JobEvent(models.Model):
    """Added, and never changed but for `dispatched_at`."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    run = models.ForeignKey(JobRun, models.CASCADE, null=True, related_name="events")
    kind = models.CharField(max_length=16, choices=JobEventKind)
    at = models.DateTimeField()
    counts: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(default=dict)
    """How many items of the run were in each state."""
    reason = models.CharField(max_length=32, blank=True)
    dispatched_at = models.DateTimeField(null=True)
    """When it was decided whom to notify."""

    objects = JobEventQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("run", "kind"), name="jobevent_once"),)
        # Reader: the clock, once a second.
        indexes = (models.Index(fields=("id",), name="jobevent_new", condition=models.Q(dispatched_at=None)),)

    def __str__(self) -> str:
        return f"{self.job_id} {self.kind}"
