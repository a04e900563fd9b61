"""Rollouts: an artifact, or a version of the configuration, for many terminals in waves."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import Person, covers, rights_of_people, scope_of, within
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.artifacts.models import Artifact
from tms.configuration.models import ConfigurationVersion
from tms.fleet.models import Terminal
from tms.jobs.models import JobHours
from tms.jobs.models.job import KEPT_FOR
from tms.lib.text_fields import LineField, LinesField
from tms.rollouts.effects.decision import FAILED_AFTER, FAILED_PCT


class RolloutKind(models.TextChoices):
    ARTIFACT = "artifact", pgettext_lazy("rollout", "Artifact")
    CONFIGURATION = "configuration", pgettext_lazy("rollout", "Configuration version")


class RolloutState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("rollout", "Draft")
    PLANNED = "planned", pgettext_lazy("rollout", "Planned")
    RUNNING = "running", pgettext_lazy("rollout", "Running")
    HELD = "held", pgettext_lazy("rollout", "Held")
    """Evidence reached the hold: the next wave waits."""
    PAUSED = "paused", pgettext_lazy("rollout", "Paused")
    STOPPED = "stopped", pgettext_lazy("rollout", "Stopped")
    """TMS stopped it, for its effects or failures. A person decides: roll back or continue."""
    CANCELLED = "cancelled", pgettext_lazy("rollout", "Cancelled")
    """A person ended it where it is."""
    ROLLED_BACK = "rolled_back", pgettext_lazy("rollout", "Rolled back")
    EXPIRED = "expired", pgettext_lazy("rollout", "Expired")
    FINISHED = "finished", pgettext_lazy("rollout", "Finished")


OPEN_ROLLOUTS = (RolloutState.PLANNED, RolloutState.RUNNING, RolloutState.HELD, RolloutState.PAUSED)


class LateTerminals(models.TextChoices):
    """What becomes of terminals that match the query only after the start."""

    LAST_WAVE = "last_wave", pgettext_lazy("terminals that match later", "join the last wave")
    LEFT_OUT = "left_out", pgettext_lazy("terminals that match later", "are left out")
    OWN_WAVE = "own_wave", pgettext_lazy("terminals that match later", "get a wave of their own")


class ApprovalRule(models.TextChoices):
    EACH = "each", pgettext_lazy("approval of waves", "each wave from wave 2 on")
    FIRST = "first", pgettext_lazy("approval of waves", "the first wave")
    NONE = "none", pgettext_lazy("approval of waves", "nothing")


class PostponedThen(models.TextChoices):
    """What becomes of a terminal that is in use and was postponed as often as allowed."""

    CLOSING = "closing", pgettext_lazy("postponed terminal", "it waits for closing time")
    UPDATE = "update", pgettext_lazy("postponed terminal", "it is updated")
    LEAVE = "leave", pgettext_lazy("postponed terminal", "it is left out")


class RolloutQuerySet(models.QuerySet["Rollout"]):
    def open(self) -> Self:
        return self.filter(state__in=OPEN_ROLLOUTS)

    def of(self, person: Person) -> Self:
        """The rollouts that a person reads: their own, and those of people who run rollouts only where the person sees
        all. Others name terminals that may be out of sight.
        """
        seen = scope_of(person)
        if seen.is_everything:
            return self.all()
        return self.filter(started_by__in={person.pk, *self._starters_within(seen)})

    def old(self, at: datetime) -> Self:
        """Rollouts that ended so long ago that their items are deleted. Their waves, events and evidence stay."""
        return self.filter(ended_at__lt=at - KEPT_FOR)

    def wholly_within(self, scope: Scope) -> Self:
        """Rollouts of which a person with this scope sees every terminal, so that numbers say nothing of others."""
        if scope.is_everything:
            return self
        items = self.model._meta.get_field("items").related_model._default_manager.filter(rollout=models.OuterRef("pk"))
        seen = within(Terminal.objects.all(), scope)
        return self.filter(models.Exists(items), ~models.Exists(items.exclude(terminal__in=seen)))

    def _starters_within(self, seen: Scope) -> list[int | None]:
        """People who started these rollouts, and may run them only within this scope."""
        people = User.objects.filter(pk__in=self.order_by().values("started_by"))
        running = {pk: rights.scope(Permission.RUN_ROLLOUTS) for pk, rights in rights_of_people(list(people)).items()}
        return [pk for pk, scope in running.items() if scope and covers(seen, scope)]


class Rollout(models.Model):
    name = LineField(_("name"), max_length=100)
    comment = LinesField(_("comment"), max_length=500, blank=True)
    kind = models.CharField(max_length=16, choices=RolloutKind, default=RolloutKind.ARTIFACT)
    artifacts = models.ManyToManyField(Artifact, through="RolloutArtifact", related_name="rollouts")
    version = models.ForeignKey(ConfigurationVersion, models.PROTECT, null=True, related_name="rollouts")
    rolls_back = models.ForeignKey("self", models.SET_NULL, null=True, related_name="rollbacks")
    """The rollout whose updated terminals get the former software or values again."""
    seed = models.BigIntegerField(default=0)
    """Draws the same waves from the same terminals."""
    first_number = models.PositiveIntegerField(default=0)
    """How many terminals it was for when it was planned, or when a second person was asked."""
    query = LinesField(_("query"), max_length=2_000, blank=True)
    terminals: models.JSONField[list[int], list[int]] = models.JSONField(default=list)
    """Instead of a query."""
    late = models.CharField(max_length=16, choices=LateTerminals, default=LateTerminals.LAST_WAVE)
    hours = models.CharField(max_length=16, choices=JobHours, default=JobHours.CLOSED)
    at_once = models.PositiveIntegerField(_("at once"), default=40)
    per_site = models.PositiveIntegerField(_("at once at a site"), default=1)
    starts_at = models.DateTimeField(_("starts at"))
    until = models.DateTimeField(_("ends if unfinished"))
    approval = models.CharField(max_length=16, choices=ApprovalRule, default=ApprovalRule.NONE)
    postpone_limit = models.PositiveSmallIntegerField(default=3)
    postpone_s = models.PositiveIntegerField(default=900)
    postponed_then = models.CharField(max_length=16, choices=PostponedThen, default=PostponedThen.CLOSING)
    mobile_mb = models.PositiveIntegerField(default=0)
    """Megabytes a month over a mobile link; 0 for no limit."""
    install_within_s = models.PositiveIntegerField(default=7_200)
    """How long a terminal may take to download and install."""
    settle_s = models.PositiveIntegerField(default=600)
    """How long the wanted version must be reported before a terminal counts as updated."""
    measures: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    """Names of the measures of effects that stop it."""
    failed_pct = models.PositiveSmallIntegerField(default=FAILED_PCT)
    """The share of failed installations above which it stops; 0 for never."""
    failed_after = models.PositiveIntegerField(default=FAILED_AFTER)
    """How many installations must have ended before the share counts."""
    state = models.CharField(_("state"), max_length=16, choices=RolloutState, default=RolloutState.DRAFT)
    state_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    """Why it is in this state: `effects`, `failures`, `withdrawn`, `undone`, `permission`, …"""
    evidence = models.FloatField(null=True)
    """The mean over its measures, of the last evaluation; None before the first."""
    watched_from = models.DateTimeField(null=True)
    """What happened before does not count: a person continued it, and its evidence began again. None for its start."""
    enough_evidence = models.BooleanField(default=False)
    incident = models.BigIntegerField(null=True)
    """The incident whose common factor is the firmware of this rollout."""
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = RolloutQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("rollout")
        verbose_name_plural = _("rollouts")
        # Reader: the clock, twice a second.
        indexes = (models.Index(fields=("id",), name="rollout_going", condition=models.Q(state__in=OPEN_ROLLOUTS)),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("rollout", args=(self.pk,))


class RolloutArtifact(models.Model):
    """`position` is the order in which a terminal installs several: the application after the operating system."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="steps")
    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("rollout", "position"), name="rolloutartifact_once"),)

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.position}"
