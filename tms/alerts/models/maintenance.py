"""Maintenance windows, and their past occurrences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByGroup, BySite, ByTerminal, Scope, ScopePath
from tms.fleet.models import Group, Site, Terminal
from tms.lib.calendar.recurrence import Occurrence, Recurrence
from tms.lib.text_fields import LineField


class WindowQuerySet(models.QuerySet["Window"]):
    def current(self) -> Self:
        """Active, or with a future occurrence (index: window_not_ended)."""
        return self.filter(ended_at=None)

    def past(self) -> Self:
        return self.filter(ended_at__isnull=False)


class ByTargets(ScopePath):
    """A window is seen by people who see something that it covers."""

    paths: ClassVar[Mapping[str, ScopePath]] = {
        "sites": BySite("site"),
        "groups": ByGroup("group"),
        "terminals": ByTerminal("terminal"),
    }

    def seen(self, scope: Scope) -> models.Q:
        return self._any(lambda rows, path: rows.filter(path.seen(scope)))

    def covered(self, scope: Scope) -> models.Q:
        outside = self._any(lambda rows, path: rows.exclude(path.covered(scope)))
        return self._any(lambda rows, _: rows) & ~outside

    def _any(
        self, among: Callable[[models.QuerySet[models.Model], ScopePath], models.QuerySet[models.Model]]
    ) -> models.Q:
        """Windows with one of these targets."""
        through = {name: getattr(Window, name).through._default_manager.all() for name in self.paths}
        windows = (among(rows, self.paths[name]).values("window") for name, rows in through.items())
        return models.Q(*(models.Q(pk__in=found) for found in windows), _connector=models.Q.OR)


class Window(models.Model):
    """A maintenance window: notifications of the terminals that it covers are paused.

    `occurs_at` and `occurs_until` are the active or the next occurrence, whose end may have been moved; of a past
    window, the last one.
    """

    note = LineField(max_length=200)
    time_zone = models.CharField(max_length=64)
    first_on = models.DateField()
    starts_at = models.TimeField()
    length_s = models.PositiveIntegerField()
    rrule = LineField(max_length=200, blank=True)
    occurs_at = models.DateTimeField()
    occurs_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=False)
    """Whether an occurrence has begun, as boards know it."""
    sites = models.ManyToManyField(Site, related_name="windows", blank=True)
    groups = models.ManyToManyField(Group, related_name="windows", blank=True)
    terminals = models.ManyToManyField(Terminal, related_name="windows", blank=True)
    agreed_terminals = models.ManyToManyField(Terminal, related_name="+", blank=True)
    """What it covered when it was planned or extended."""
    agreed = models.PositiveIntegerField(default=0, db_default=0)
    """Their number then."""
    is_outgrown = models.BooleanField(default=False, db_default=False)
    """Whether its scope has so many more terminals by now that it covers only those that were agreed to."""
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="windows")
    changed_at = models.DateTimeField(null=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """The person who ended, extended or cancelled it last."""

    objects = WindowQuerySet.as_manager()
    scope_path = ByTargets()

    class Meta:
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")
        constraints = (
            models.CheckConstraint(condition=models.Q(length_s__gt=0), name="window_length"),
            models.CheckConstraint(condition=models.Q(occurs_until__gte=models.F("occurs_at")), name="window_order"),
        )
        indexes = (
            # Readers: queries of active maintenance, and the clock, which polls for begins and ends.
            models.Index(fields=("occurs_at",), name="window_not_ended", condition=models.Q(ended_at=None)),
            models.Index(fields=("-ended_at",), name="window_ended", condition=models.Q(ended_at__isnull=False)),
        )

    def __str__(self) -> str:
        return self.note

    def get_absolute_url(self) -> str:
        return f"{reverse('maintenance')}#window-{self.pk}"

    @property
    def recurrence(self) -> Recurrence:
        starts_at = datetime.combine(self.first_on, self.starts_at)
        return Recurrence(ZoneInfo(self.time_zone), starts_at, timedelta(seconds=self.length_s), self.rrule)

    @property
    def occurrence(self) -> Occurrence:
        return Occurrence(self.occurs_at, self.occurs_until)

    def occurrence_after(self, before: Occurrence, at: datetime) -> Occurrence | None:
        """The first occurrence that ends after `at`; None if there is none."""
        coming = self.recurrence.occurrences(at)
        return next((found for found in coming if found.since > before.since), None)

    def occurrence_at(self, at: datetime) -> Occurrence | None:
        """The occurrence that is active at `at`, even before the window was moved on to it."""
        if self.ended_at is not None and self.ended_at <= at:
            return None
        found: Occurrence | None = self.occurrence
        if self.occurs_until <= at:
            found = self.occurrence_after(self.occurrence, at)
        return found if found and found.since <= at < found.until else None


class PastOccurrence(models.Model):
    """An occurrence of a recurring window as it took place; the last one is in the columns of the window."""

    window = models.ForeignKey(Window, models.CASCADE, related_name="past_occurrences", db_constraint=False)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("window", "since"), name="past_occurrence_once"),)

    def __str__(self) -> str:
        return f"{self.window_id} {self.since:%Y-%m-%d %H:%M}"
