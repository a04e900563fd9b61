"""What is known of the effects of a rollout: counts that grow hour by hour, and the evidence over time."""

from __future__ import annotations

from typing import Any

from django.db import models

from tms.fleet.models import Site, Terminal
from tms.rollouts.models.rollout import Rollout


class Watching(models.Model):
    """How far the comparison of a rollout has come."""

    rollout = models.OneToOneField(Rollout, models.CASCADE, primary_key=True, related_name="watching")
    tallies: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    """A `Tally` of each measure."""
    left_out: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    """How many hits did not count, by measure and reason."""
    compared_days: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    """The terminal-days for which updated terminals of each wave were beside waiting ones, by its number."""
    watched_from = models.DateTimeField(null=True)
    """That of the rollout for which this was counted; when it changes, counting begins again."""
    evaluated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.rollout_id)


class WatchedSite(models.Model):
    """A site with updated terminals. Its hours end at a minute of its own, so that the work is spread."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    """The beginning of the hour that is counted next."""
    hits: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    """Hits of each terminal in the days before the rollout, by measure: what is expected of it."""
    strata: models.JSONField[dict[str, list[int]], dict[str, list[int]]] = models.JSONField(default=dict, db_default={})
    """How many terminals were updated, and how many waited, in the last hour, by stratum."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("rollout", "site"), name="watchedsite_once"),)
        # Reader: the evaluation, which takes the sites with an hour that is over.
        indexes = (models.Index(fields=("rollout", "hour"), name="watchedsite_due"),)

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.site_id}"


class TerminalEffect(models.Model):
    """Hits of a terminal in one measure; of a reading, how much of the waiting terminals it was above."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="terminal_effects", db_index=False)
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="+")
    measure = models.CharField(max_length=32)
    hits = models.PositiveIntegerField(default=0)
    """Hits since it is updated."""
    lean = models.FloatField(default=0)

    class Meta:
        # Readers: the terminals hit of each measure, and those that were hit most.
        constraints = (models.UniqueConstraint(fields=("rollout", "measure", "terminal"), name="terminaleffect_once"),)

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.terminal_id} {self.measure}"


class TerminalFault(models.Model):
    """A time for which a terminal reported the status `fault`."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="+", db_index=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("terminal", "began_at"), name="terminalfault_once"),)
        indexes = (
            # Reader: the evaluation of a rollout, for the faults of a site that ended.
            models.Index(fields=("terminal", "ended_at"), name="terminalfault_ended"),
            # Reader: the evaluation, for faults that may be over.
            models.Index(fields=("id",), name="terminalfault_open", condition=models.Q(ended_at=None)),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.began_at:%F %H:%M}"


class EvidencePoint(models.Model):
    """The evidence after an evaluation that changed it."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="evidence_points", db_index=False)
    at = models.DateTimeField()
    evidence = models.FloatField()
    measures: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)

    class Meta:
        ordering = ("at",)
        # Reader: the curve of a rollout's page.
        indexes = (models.Index(fields=("rollout", "at"), name="evidencepoint_curve"),)

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.at:%F %H:%M} {self.evidence:.1f}"
