"""Jobs: what people ask many terminals to do, and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import Person, covers, rights_of_people, scope_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.lib.calendar.recurrence import Occurrence, Recurrence
from tms.lib.text_fields import LineField, LinesField


class JobState(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("job", "Active")
    PAUSED = "paused", pgettext_lazy("job", "Paused")
    FINISHED = "finished", pgettext_lazy("job", "Finished")
    CANCELLED = "cancelled", pgettext_lazy("job", "Cancelled")
    STOPPED = "stopped", pgettext_lazy("job", "Stopped by TMS")


KEPT_FOR = timedelta(days=90)
"""Runs and jobs that have ended."""
OPEN = (JobState.ACTIVE, JobState.PAUSED)


class JobHours(models.TextChoices):
    """When it may send to a terminal, by the opening hours of its site."""

    ANY = "any", pgettext_lazy("job", "At any time")
    OPEN = "open", pgettext_lazy("job", "Only while open")
    CLOSED = "closed", pgettext_lazy("job", "Only while closed")
    MAINTENANCE = "maintenance", pgettext_lazy("job", "Only in maintenance windows")


class RetryReason(models.TextChoices):
    FAILED = "failed", pgettext_lazy("job", "The terminal answered with an error")
    NO_ANSWER = "no_answer", pgettext_lazy("job", "The terminal did not answer in time")


class JobQuerySet(models.QuerySet["Job"]):
    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def due(self, at: datetime) -> Self:
        """Active jobs whose next start has come (index: job_due)."""
        return self.filter(state=JobState.ACTIVE, occurs_at__lte=at)

    def old(self, at: datetime) -> Self:
        """Jobs that ended, and whose runs are deleted already."""
        return self.exclude(state__in=OPEN).filter(created_at__lt=at - KEPT_FOR, runs=None)

    def of(self, person: Person) -> Self:
        """The jobs that a person reads: their own, and those of people who run jobs only where the person sees all.
        Others name terminals that may be out of sight.
        """
        seen = scope_of(person)
        if seen.is_everything:
            return self.all()
        return self.filter(started_by__in={person.pk, *self._starters_within(seen)})

    def _starters_within(self, seen: Scope) -> list[int | None]:
        """People who started these jobs, and may run them only within this scope."""
        people = User.objects.filter(pk__in=self.order_by().values("started_by"))
        running = {pk: rights.scope(Permission.RUN_JOBS) for pk, rights in rights_of_people(list(people)).items()}
        return [pk for pk, scope in running.items() if scope and covers(seen, scope)]


class Job(models.Model):
    """One command for many terminals. `occurs_at` and `occurs_until` are the next start and its end; None if there is
    none.
    """

    name = LineField(_("name"), max_length=100)
    comment = LinesField(_("comment"), max_length=500, blank=True)
    command = models.CharField(_("command"), max_length=64)
    args: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("arguments"), default=dict)
    query = LinesField(_("query"), max_length=2_000, blank=True)
    """What selects the terminals, again for each run; empty if `terminals` does."""
    terminals: models.JSONField[list[int], list[int]] = models.JSONField(default=list)
    first_number = models.PositiveIntegerField(default=0, db_default=0)
    """How many terminals it was for when it was made, or when a second person was asked."""
    is_trial = models.BooleanField(default=False, db_default=False)
    """Whether it is tried on one terminal first, and then waits until somebody resumes it."""
    at_once = models.PositiveIntegerField(_("at once"), default=40)
    per_site = models.PositiveIntegerField(_("at once at a site"), default=0)
    """0 for no limit."""
    hours = models.CharField(max_length=16, choices=JobHours, default=JobHours.ANY)
    answer_within_s = models.FloatField(_("answer within (seconds)"), default=30)
    retry_limit = models.PositiveSmallIntegerField(default=0)
    retry_after_s = models.PositiveIntegerField(default=300)
    retry_for: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    """`RetryReason`: for nothing else a terminal gets the command twice in a run."""
    stop_above_pct = models.PositiveSmallIntegerField(default=0, db_default=0)
    """The share of failed items above which TMS stops the job; 0 for never."""
    stop_after = models.PositiveIntegerField(default=20, db_default=20)
    """How many items must be done or failed before the share counts."""
    time_zone = models.CharField(max_length=64)
    first_on = models.DateField(null=True)
    starts_at = models.TimeField(null=True)
    """The local time of the first start; None if it started when it was made."""
    length_s = models.PositiveIntegerField()
    """How long a run lasts at most."""
    rrule = LineField(max_length=200, blank=True)
    occurs_at = models.DateTimeField(null=True)
    occurs_until = models.DateTimeField(null=True)
    state = models.CharField(_("state"), max_length=16, choices=JobState, default=JobState.ACTIVE)
    reason = models.CharField(max_length=32, blank=True)
    """Why it was stopped: `permission`, `command`, `failures`; or paused: `trial`."""
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        # Reader: the clock, once a second.
        indexes = (models.Index(fields=("occurs_at",), name="job_due", condition=models.Q(state="active")),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("job", args=(self.pk,))

    @property
    def next(self) -> Occurrence | None:
        if self.occurs_at is None or self.occurs_until is None:
            return None
        return Occurrence(self.occurs_at, self.occurs_until)

    @property
    def recurrence(self) -> Recurrence | None:
        """None if it occurs once."""
        if not self.rrule or self.first_on is None or self.starts_at is None:
            return None
        starts_at = datetime.combine(self.first_on, self.starts_at)
        return Recurrence(ZoneInfo(self.time_zone), starts_at, timedelta(seconds=self.length_s), self.rrule)
