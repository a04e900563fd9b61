"""Outages of terminals, with their causes."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal


class OutageCause(models.TextChoices):
    """Why a terminal was away, as far as its return shows."""

    NETWORK = "network", pgettext_lazy("outage", "Network")
    POWER = "power", pgettext_lazy("outage", "Power or reboot")
    APPLICATION = "application", pgettext_lazy("outage", "Application")
    SERVER = "server", pgettext_lazy("outage", "TMS")
    PLANNED = "planned", pgettext_lazy("outage", "Planned")
    UNCLEAR = "unclear", pgettext_lazy("outage", "Unknown")


class OutageQuerySet(models.QuerySet["Outage"]):
    def open(self) -> Self:
        """Open outages (index: outage_open)."""
        return self.filter(ended_at=None)

    def lost_with(self, *nodes: str) -> Self:
        """Open since one of these nodes dropped the terminals (index: outage_node)."""
        return self.open().filter(node__in=nodes)

    def uncounted(self) -> Self:
        """Ended, but reports of that time may still be arriving (index: outage_uncounted)."""
        return self.filter(reports_sent=None, ended_at__isnull=False)

    def over(self) -> Self:
        return self.filter(ended_at__isnull=False)


class Outage(models.Model):
    """A period without a link, from its loss to the terminal's return, with the evidence for its cause."""

    terminal = models.ForeignKey("fleet.Terminal", models.CASCADE, related_name="outages", db_index=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=16, choices=OutageCause, default="", blank=True)
    lost_by = models.CharField(max_length=24)
    """How the link ended, a `Cause` of presence."""
    node = models.CharField(max_length=64, default="", blank=True)
    """The node that dropped the link; empty if TMS did not cause it."""
    offline_at = models.DateTimeField(null=True)
    """When it became offline, if it did."""
    has_restarted = models.BooleanField(null=True)
    """It returned with another boot; None if its link had never ended."""
    uptime_s = models.FloatField(null=True)
    """How long the device had been running when it returned."""
    boot_id = models.CharField(max_length=64, default="", blank=True)
    seq = models.BigIntegerField(default=0)
    """The boot that was lost, and its highest stored report."""
    reports_made = models.PositiveIntegerField(null=True)
    """Reports that the boot made meanwhile, if it continued; None if unknown."""
    reports_sent = models.PositiveIntegerField(null=True)
    """How many of the reports that `boot_id` made meanwhile arrived later; None until they were counted."""

    objects = OutageQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("terminal",), name="outage_open", condition=models.Q(ended_at__isnull=True)
            ),
        )
        indexes = (
            # Readers: the terminal's timeline and its summary.
            models.Index(fields=("terminal", "-ended_at"), name="outage_terminal"),
            # Reader: the density of a replay.
            models.Index(fields=("began_at",), name="outage_began"),
            # Reader: how many of the terminals that a node dropped have returned.
            models.Index(
                fields=("node",), name="outage_node", condition=models.Q(ended_at__isnull=True) & ~models.Q(node="")
            ),
            # Reader: the count of late reports.
            models.Index(
                fields=("ended_at",),
                name="outage_uncounted",
                condition=models.Q(reports_sent__isnull=True, ended_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.began_at:%Y-%m-%d %H:%M:%S} {self.cause or 'away'}"
