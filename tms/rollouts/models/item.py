"""Items: one terminal in one rollout."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.commands.models import Command
from tms.fleet.models import Site, Terminal
from tms.lib.text_fields import LinesField
from tms.rollouts.models.rollout import Rollout
from tms.rollouts.models.wave import Wave


class RolloutItemState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("item of a rollout", "Waiting")
    POSTPONED = "postponed", pgettext_lazy("item of a rollout", "Postponed")
    """The terminal is in use: it said "not now"."""
    ORDERED = "ordered", pgettext_lazy("item of a rollout", "Sent")
    DOWNLOADING = "downloading", pgettext_lazy("item of a rollout", "Downloading")
    INSTALLING = "installing", pgettext_lazy("item of a rollout", "Installing")
    RESTARTING = "restarting", pgettext_lazy("item of a rollout", "Restarting")
    SETTLING = "settling", pgettext_lazy("item of a rollout", "Settling")
    DONE = "done", pgettext_lazy("item of a rollout", "Done")
    FAILED = "failed", pgettext_lazy("item of a rollout", "Failed")
    OLD_VERSION = "old_version", pgettext_lazy("item of a rollout", "Reported success, old firmware")
    NEW_VERSION = "new_version", pgettext_lazy("item of a rollout", "Reported failure, new firmware")
    NOT_BACK = "not_back", pgettext_lazy("item of a rollout", "Not back")
    SKIPPED = "skipped", pgettext_lazy("item of a rollout", "Left out")
    CANCELLED = "cancelled", pgettext_lazy("item of a rollout", "Cancelled")
    EXPIRED = "expired", pgettext_lazy("item of a rollout", "Expired")


WORKING = (
    RolloutItemState.ORDERED,
    RolloutItemState.DOWNLOADING,
    RolloutItemState.INSTALLING,
    RolloutItemState.RESTARTING,
    RolloutItemState.SETTLING,
)
ATTENTION = (
    RolloutItemState.FAILED,
    RolloutItemState.OLD_VERSION,
    RolloutItemState.NEW_VERSION,
    RolloutItemState.NOT_BACK,
)
OPEN_ITEMS = (RolloutItemState.WAITING, RolloutItemState.POSTPONED, *WORKING)


class RolloutItem(models.Model):
    """The unique row by which a terminal is updated at most once by a rollout."""

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="items")
    wave = models.ForeignKey(Wave, models.CASCADE, related_name="items")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=RolloutItemState, default=RolloutItemState.WAITING)
    state_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    """Why it waits, was left out or failed."""
    not_before = models.DateTimeField()
    """When a waiting item is looked at again."""
    step = models.PositiveSmallIntegerField(default=0)
    """The artifact that it is at, by its position."""
    plan: models.JSONField[list[int], list[int]] = models.JSONField(default=list)
    """The artifacts that this terminal gets, in their order; empty for those of the rollout. A roll back has them."""
    former: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)
    """The version of each artifact, by name, that was replaced."""
    site = models.ForeignKey(Site, models.SET_NULL, null=True, related_name="+")
    """Where it was when it was drawn: one that moved since leaves."""
    serial = models.CharField(max_length=64, blank=True)
    """The serial number of its device then: one that was replaced leaves."""
    boot_id = models.CharField(max_length=64, blank=True)
    """The boot in which it was ordered, or in which it answered."""
    version_before = models.CharField(max_length=64, blank=True)
    """What it ran, or the number of its configuration version, before it was ordered."""
    attempts = models.PositiveSmallIntegerField(default=0)
    postponed = models.PositiveSmallIntegerField(default=0)
    command = models.ForeignKey(Command, models.SET_NULL, null=True, related_name="+")
    """The last one."""
    ordered_at = models.DateTimeField(null=True)
    back_by = models.DateTimeField(null=True)
    """When it should be back after its restart."""
    updated_at = models.DateTimeField(null=True)
    """When a boot reported the wanted version; from its settle time on it counts as updated in comparisons."""
    ended_at = models.DateTimeField(null=True)
    error = LinesField(max_length=500, blank=True)

    scope_path = ByTerminal("terminal")

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("rollout", "terminal"), name="rolloutitem_once"),)
        indexes = (
            # Readers: the runner, which takes the next waiting items, and looks after those that work.
            models.Index(
                fields=("wave", "not_before", "id"),
                name="rolloutitem_next",
                condition=models.Q(state__in=("waiting", "postponed")),
            ),
            models.Index(fields=("rollout",), name="rolloutitem_working", condition=models.Q(state__in=WORKING)),
            # Reader: the runner, for terminals that show up with the new version after all.
            models.Index(
                fields=("ended_at",),
                name="rolloutitem_awaited",
                condition=models.Q(state__in=("failed", "not_back", "old_version")),
            ),
            # Reader: the evaluation, for sites whose first terminal was updated.
            models.Index(
                fields=("rollout", "updated_at"),
                name="rolloutitem_updated",
                condition=models.Q(updated_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.terminal_id} {self.state}"
