"""Imports, and what each changes or changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import Person, may_within
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.lib.text_fields import LineField

UNDO_WITHIN = timedelta(hours=24)
KEPT_FOR = timedelta(days=90)


class ImportState(models.TextChoices):
    CHECKED = "checked", pgettext_lazy("import", "Checked, nothing changed yet")
    APPLYING = "applying", pgettext_lazy("import", "Being applied")
    APPLIED = "applied", pgettext_lazy("import", "Applied")
    UNDOING = "undoing", pgettext_lazy("import", "Being undone")
    UNDONE = "undone", pgettext_lazy("import", "Undone")
    FAILED = "failed", pgettext_lazy("import", "Not applied, nothing changed")


RUNNING = (ImportState.APPLYING, ImportState.UNDOING)


class Effect(models.TextChoices):
    """What a file does to a row."""

    CREATED = "created", pgettext_lazy("rows of an import", "Added")
    CHANGED = "changed", pgettext_lazy("rows of an import", "Changed")
    UNCHANGED = "unchanged", pgettext_lazy("rows of an import", "Unchanged")
    REFUSED = "refused", pgettext_lazy("rows of an import", "Errors")


class ImportQuerySet(models.QuerySet["Import"]):
    def due(self, at: datetime) -> Self:
        """Running imports whose last worker did not finish in time (index: import_due)."""
        return self.filter(state__in=RUNNING, lease_at__lte=at)

    def old(self, at: datetime) -> Self:
        return self.filter(created_at__lt=at - KEPT_FOR)

    def of(self, person: Person) -> Self:
        """The imports that a person may see: their own. Others name rows that may be out of sight."""
        if may_within(person, Permission.IMPORT_FLEET, EVERYTHING):
            return self.all()
        return self.filter(created_by=person.pk)


class Import(models.Model):
    """A file that a person checked, and applied or not. Its rows are in its parts."""

    kind = models.CharField(max_length=16)
    file_name = LineField(_("file"), max_length=200)
    state = models.CharField(max_length=16, choices=ImportState, default=ImportState.CHECKED)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    run_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """Who applied or undid it last."""
    applied_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    """The number of rows by `Effect`."""
    problem = models.JSONField(default=list)
    """Why it failed: a code of `tms.transfer.reasons` and its parameters."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """How often work on it began."""
    lease_at = models.DateTimeField(null=True)
    """While it runs: when another process may take it over."""

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        # Reader: the clock, once a second.
        indexes = (
            models.Index(
                fields=("lease_at",), name="import_due", condition=models.Q(state__in=("applying", "undoing"))
            ),
        )

    def __str__(self) -> str:
        return self.file_name

    @property
    def changes(self) -> int:
        return self.number(Effect.CREATED) + self.number(Effect.CHANGED)

    def number(self, effect: Effect) -> int:
        number: int = self.counts.get(effect.value, 0)
        return number

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING

    @property
    def may_be_applied(self) -> bool:
        return self.state == ImportState.CHECKED and not self.number(Effect.REFUSED) and self.changes > 0

    @property
    def undo_until(self) -> datetime | None:
        return self.applied_at + UNDO_WITHIN if self.applied_at else None

    def may_be_undone(self, at: datetime) -> bool:
        return self.state == ImportState.APPLIED and self.undo_until is not None and at < self.undo_until


class ImportPart(models.Model):
    """Some rows of an import with the same effect, in the order of the file: one page of the diff.

    A row has a list each: see `tms.transfer.rows.FileRow.packed`. A row a table row would make storing a plan slow.
    """

    of = models.ForeignKey(Import, models.CASCADE, related_name="parts")
    effect = models.CharField(max_length=16, choices=Effect)
    number = models.PositiveIntegerField()
    rows: models.JSONField[list[Any], list[Any]] = models.JSONField()

    class Meta:
        ordering = ("effect", "number")
        constraints = (models.UniqueConstraint(fields=("of", "effect", "number"), name="importpart_once"),)

    def __str__(self) -> str:
        return f"{self.of_id} {self.effect} {self.number}"
