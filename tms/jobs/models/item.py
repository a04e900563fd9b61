"""Items: one terminal in one run of a job."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.commands.models import Command
from tms.fleet.models import Terminal
from tms.jobs.models.run import JobRun
from tms.lib.text_fields import LinesField


class ItemState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("item of a job", "Waiting")
    SENT = "sent", pgettext_lazy("item of a job", "Sent")
    DONE = "done", pgettext_lazy("item of a job", "Done")
    FAILED = "failed", pgettext_lazy("item of a job", "Failed")
    EXPIRED = "expired", pgettext_lazy("item of a job", "Expired")
    SKIPPED = "skipped", pgettext_lazy("item of a job", "Skipped")
    CANCELLED = "cancelled", pgettext_lazy("item of a job", "Cancelled")


UNFINISHED = (ItemState.WAITING, ItemState.SENT)


class Item(models.Model):
    """The unique row by which a terminal gets the command at most once in a run."""

    run = models.ForeignKey(JobRun, models.CASCADE, related_name="items")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="+")
    state = models.CharField(_("state"), max_length=16, choices=ItemState, default=ItemState.WAITING)
    reason = models.CharField(max_length=32, blank=True)
    """Why it waits (`guards.Hold`), was skipped (`guards.Skip`) or failed (`RetryReason`)."""
    not_before = models.DateTimeField()
    """When a waiting item is looked at again."""
    attempts = models.PositiveSmallIntegerField(default=0)
    command = models.ForeignKey(Command, models.SET_NULL, null=True, related_name="+")
    """The last one."""
    ended_at = models.DateTimeField(null=True)
    error = LinesField(max_length=500, blank=True)

    scope_path = ByTerminal("terminal")

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("run", "terminal"), name="item_once"),)
        indexes = (
            # Readers: the runner, which takes the next waiting items, and looks for answers.
            models.Index(fields=("run", "not_before", "id"), name="item_next", condition=models.Q(state="waiting")),
            models.Index(fields=("run",), name="item_sent", condition=models.Q(state="sent")),
            # Readers: the page of a job, which shows the newest results, and the reasons of failures.
            models.Index(
                fields=("run", "ended_at", "id"), name="item_newest", condition=models.Q(ended_at__isnull=False)
            ),
            models.Index(fields=("run",), name="item_failed", condition=models.Q(state="failed")),
        )

    def __str__(self) -> str:
        return f"{self.run_id} {self.terminal_id} {self.state}"
