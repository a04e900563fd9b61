"""Nodes, and the heartbeats that show which of them are alive."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

HEARTBEAT_S = 2.0
LOST_AFTER_S = 8.0
"""A node without a heartbeat for this long is lost; up to three heartbeats may fail before."""
UNUSED_AFTER = timedelta(days=30)


class NodeState(models.TextChoices):
    RUNNING = "running", pgettext_lazy("node", "Running")
    DRAINING = "draining", pgettext_lazy("node", "Draining")
    STOPPED = "stopped", pgettext_lazy("node", "Stopped")
    LOST = "lost", pgettext_lazy("node", "Lost")


ALIVE = (NodeState.RUNNING, NodeState.DRAINING)


class NodeQuerySet(models.QuerySet["Node"]):
    def alive(self) -> Self:
        return self.filter(state__in=ALIVE)

    def overdue(self) -> Self:
        """Nodes without a recent heartbeat by the database's clock, because clocks of hosts differ."""
        return self.alive().filter(heartbeat_at__lt=Now() - timedelta(seconds=LOST_AFTER_S))

    def unused(self) -> Self:
        """Unused for 30 days: temporary hosts leave a name each."""
        return self.exclude(state__in=ALIVE).filter(heartbeat_at__lt=Now() - UNUSED_AFTER)

    def that_dropped(self, since: datetime) -> Self:
        """Dropped links after `since`."""
        return self.filter(dropped_at__gt=since, dropped_links__gt=0).order_by("-dropped_at", "name")


class Node(models.Model):
    """One server process, by its name (TMS_NODE). No index covers the columns that a heartbeat writes.

    `dropped_at` and `dropped_links`: when it last dropped its terminals, and how many.
    """

    name = models.CharField(_("name"), max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=NodeState, default=NodeState.RUNNING)
    host = models.CharField(_("host"), max_length=255, default="")
    pid = models.PositiveIntegerField(_("process"), default=0)
    run = models.CharField(max_length=32, default="")
    """New at each start, so that a heartbeat of an earlier start has no effect."""
    started_at = models.DateTimeField(_("started at"))
    heartbeat_at = models.DateTimeField(_("last heartbeat"))
    links = models.PositiveIntegerField(_("links"), default=0)
    dropped_at = models.DateTimeField(_("links dropped at"), null=True)
    dropped_links = models.PositiveIntegerField(_("links dropped"), default=0)

    objects = NodeQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

    def __str__(self) -> str:
        return self.name
