"""Waves: the parts of a rollout, one after another."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from tms.lib.text_fields import LineField
from tms.rollouts.models.rollout import Rollout


class WaveKind(models.TextChoices):
    CANARY = "canary", pgettext_lazy("wave", "Canary")
    """One terminal at each of `size` sites."""
    SHARE = "share", pgettext_lazy("wave", "Share")
    """`size` percent."""
    NUMBER = "number", pgettext_lazy("wave", "Number")
    SITES = "sites", pgettext_lazy("wave", "Whole sites")
    REST = "rest", pgettext_lazy("wave", "Rest")
    HELD_BACK = "held_back", pgettext_lazy("wave", "Held back")
    """One terminal a site, until the end: without it nobody is left to compare with."""
    LATE = "late", pgettext_lazy("wave", "Matched later")


class WaveState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("wave", "Waiting")
    INSTALLING = "installing", pgettext_lazy("wave", "Installing")
    WATCHED = "watched", pgettext_lazy("wave", "Watched")
    """All of its terminals are over; the next wave waits for the exposure of this one."""
    PASSED = "passed", pgettext_lazy("wave", "Passed")


class WaveQuerySet(models.QuerySet["Wave"]):
    def watched(self) -> Self:
        """Installed waves that are watched, or were. The last one is not: nobody waits for it."""
        return self.filter(watched_until__gt=models.F("installed_at"))


class Wave(models.Model):
    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="waves")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=WaveKind)
    size = models.PositiveIntegerField(default=0)
    watch_hours = models.FloatField(null=True)
    """How long it is watched; None for one opening day of each site."""
    name = LineField(max_length=100, blank=True)
    state = models.CharField(max_length=16, choices=WaveState, default=WaveState.WAITING)
    not_before = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    installed_at = models.DateTimeField(null=True)
    watched_until = models.DateTimeField(null=True)
    """When its exposure is over, so that the next wave may start."""
    passed_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    """When a second person was asked to approve it."""
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    evidence = models.FloatField(null=True)
    """The rollout's when the wave passed."""

    objects = WaveQuerySet.as_manager()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("rollout", "number"), name="wave_once"),)

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.number}"

    @property
    def exposure(self) -> timedelta | None:
        """How long it is watched; None before it is installed."""
        if self.watched_until is None or self.installed_at is None:
            return None
        return self.watched_until - self.installed_at
