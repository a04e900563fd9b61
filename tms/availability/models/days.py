"""The days of sites and terminals, rolled up."""

from __future__ import annotations

from typing import Any

from django.db import models

from tms.accounts.scope import BySite, ByTerminal, Scope
from tms.availability.losses import LossReason
from tms.fleet.models import Outage, Site, Terminal, TerminalKind
from tms.lib.text_fields import LineField


class OfWholeSites(BySite):
    """Sums over all terminals of a site: a group shows none of them, because it may contain only some."""

    def seen(self, scope: Scope) -> models.Q:
        return self.covered(scope)


class AtSiteThen(ByTerminal):
    """A day of a terminal belongs to the site where the terminal was; groups are those of now."""

    def seen(self, scope: Scope) -> models.Q:
        return BySite("site_day__site").covered(scope) | super().seen(Scope(groups=scope.groups))


class SiteDay(models.Model):
    """A local day of a site that is over and rolled up, with its opening hours as they were.

    Without database constraints towards the fleet: each of its many rows would be checked, and Django deletes them.
    """

    site = models.ForeignKey(Site, models.CASCADE, related_name="days", db_index=False, db_constraint=False)
    day = models.DateField()
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    hours: models.JSONField[Any, Any] = models.JSONField(default=list)
    """Intervals in which it was open: `[[since, until], …]`, in seconds since the epoch."""
    rolled_up_at = models.DateTimeField()

    scope_path = BySite("site")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site", "day"), name="siteday_once"),)
        # Readers: the retention, exports of a month.
        indexes = (models.Index(fields=("day",), name="siteday_day"),)

    def __str__(self) -> str:
        return f"{self.site_id} {self.day}"


class PendingOutage(models.Model):
    """An outage that overlaps a day which is rolled up, but whose cause was not known yet."""

    site_day = models.ForeignKey(SiteDay, models.CASCADE, related_name="pending")
    outage = models.ForeignKey(Outage, models.CASCADE, related_name="+", db_constraint=False)

    def __str__(self) -> str:
        return f"{self.site_day_id} {self.outage_id}"


class Seconds(models.Model):
    """Seconds of a day: those that count, those excluded by maintenance, and those lost, by reason."""

    day = models.DateField()
    counted_s = models.PositiveIntegerField()
    """Seconds within the opening hours, without maintenance, while the terminals were in service."""
    excluded_s = models.PositiveIntegerField(default=0)
    """Seconds within the opening hours, but in a maintenance window."""
    network_s = models.PositiveIntegerField(default=0)
    power_s = models.PositiveIntegerField(default=0)
    switched_off_s = models.PositiveIntegerField(default=0)
    device_s = models.PositiveIntegerField(default=0)
    application_s = models.PositiveIntegerField(default=0)
    restart_s = models.PositiveIntegerField(default=0)
    server_s = models.PositiveIntegerField(default=0)
    unclear_s = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def lost_s(self) -> int:
        return sum(getattr(self, loss.column) for loss in LossReason)


class TerminalDay(Seconds):
    """A day of a terminal that was in service at the site."""

    site_day = models.ForeignKey(SiteDay, models.CASCADE, related_name="terminals", db_index=False)
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="days", db_index=False, db_constraint=False)
    since = models.BigIntegerField(null=True)
    until = models.BigIntegerField(null=True)
    """When it went into service there, and out of it, if that was on this day; in seconds since the epoch."""
    excluded: models.JSONField[Any, Any] = models.JSONField(null=True)
    """Maintenance of the day and times out of service, as `SiteDay.hours`; None if there was none."""

    scope_path = AtSiteThen("terminal")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site_day", "terminal"), name="terminalday_once"),)
        # Readers: the bars of terminals, sums for scopes of groups.
        indexes = (models.Index(fields=("terminal", "day"), name="terminalday_terminal"),)

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.day}"


class KindDay(Seconds):
    """A day of all terminals of one kind and model at a site: the sum of their `TerminalDay`."""

    site_day = models.ForeignKey(SiteDay, models.CASCADE, related_name="kinds", db_index=False)
    site = models.ForeignKey(Site, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    kind = models.CharField(max_length=16, choices=TerminalKind)
    model = LineField(max_length=64, blank=True)
    terminals = models.PositiveIntegerField()
    """The number of terminals."""

    scope_path = OfWholeSites("site")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site_day", "kind", "model"), name="kindday_once"),)
        # Readers: the figures of a month, the bars of 90 days.
        indexes = (models.Index(fields=("day", "site"), name="kindday_day"),)

    def __str__(self) -> str:
        return f"{self.site_id} {self.kind} {self.model} {self.day}"
