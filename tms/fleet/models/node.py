from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

BEAT_S = 2.0
LOST_AFTER_S = 8.0
"""A node that did not beat for so long is lost; three beats may fail before."""
FORGOTTEN_AFTER = timedelta(days=30)


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
        """That should beat and do not. By the database's clock, which timed the beats too: those of hosts differ."""
        return self.alive().filter(beat_at__lt=Now() - timedelta(seconds=LOST_AFTER_S))

    def forgotten(self) -> Self:
        """Gone for good: hosts that come and go leave a name each."""
        return self.exclude(state__in=ALIVE).filter(beat_at__lt=Now() - FORGOTTEN_AFTER)

    def losing(self, since: datetime) -> Self:
        """That lost links after `since`."""
        return self.filter(loss_at__gt=since, lost_links__gt=0).order_by("-loss_at", "name")


class Node(models.Model):
    """One server process, by its name (TMS_NODE). No index covers what a beat writes.

    `loss_at` and `lost_links` tell of the last time that it dropped its terminals: when, and how many.
    """

    name = models.CharField(_("name"), max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=NodeState, default=NodeState.RUNNING)
    host = models.CharField(_("host"), max_length=255, default="")
    pid = models.PositiveIntegerField(_("process"), default=0)
    run = models.CharField(max_length=32, default="")
    """New at each start: a beat of an earlier start counts for nothing."""
    started_at = models.DateTimeField(_("started at"))
    beat_at = models.DateTimeField(_("last beat"))
    links = models.PositiveIntegerField(_("links"), default=0)
    loss_at = models.DateTimeField(_("last lost links at"), null=True)
    lost_links = models.PositiveIntegerField(_("links lost then"), default=0)

    objects = NodeQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

    def __str__(self) -> str:
        return self.name
