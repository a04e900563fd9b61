"""Imports and bulk edits, and what each changes or changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import Person, may_within
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.approvals.models import ApprovalRequest, ApprovalState
from tms.lib.text_fields import LineField

UNDO_WITHIN = timedelta(hours=24)
KEPT_FOR = timedelta(days=90)
PART = 200
"""Rows of a part, which is a page of the diff."""
OF_EDITS = (Permission.MANAGE_GROUPS, Permission.MANAGE_TERMINALS)
"""What bulk edits need, each one of the two."""
CORRECTED_WITHIN = timedelta(days=1)


class ImportState(models.TextChoices):
    CHECKED = "checked", pgettext_lazy("import", "Checked, nothing changed yet")
    APPLYING = "applying", pgettext_lazy("import", "Being applied")
    APPLIED = "applied", pgettext_lazy("import", "Applied")
    UNDOING = "undoing", pgettext_lazy("import", "Being undone")
    UNDONE = "undone", pgettext_lazy("import", "Undone")
    FAILED = "failed", pgettext_lazy("import", "Not applied, nothing changed")


RUNNING = (ImportState.APPLYING, ImportState.UNDOING)
REQUEST_LABELS: dict[str, Promise] = {
    ApprovalState.WAITING: pgettext_lazy("import", "Waiting for a second person"),
    ApprovalState.REJECTED: pgettext_lazy("import", "Rejected, nothing changed"),
    ApprovalState.EXPIRED: pgettext_lazy("import", "Nobody approved it in time, nothing changed"),
}
"""The state of a checked import, by that of its request for approval."""
ABSENT_COUNTS = {"out_of_service": "absent_in_service", "retired": "absent"}
"""Which of `Import.counts` says how many terminals that are not in the file change."""


class Absence(models.TextChoices):
    """What becomes of terminals that are not in a file."""

    KEEP = "keep", pgettext_lazy("import", "Keep")
    OUT_OF_SERVICE = "out_of_service", pgettext_lazy("import", "Take out of service")
    RETIRED = "retired", pgettext_lazy("import", "Retire")


class Effect(models.TextChoices):
    """What a file does to a row."""

    CREATED = "created", pgettext_lazy("rows of an import", "Added")
    CHANGED = "changed", pgettext_lazy("rows of an import", "Changed")
    ABSENT = "absent", pgettext_lazy("rows of an import", "Not in the file")
    UNCHANGED = "unchanged", pgettext_lazy("rows of an import", "Unchanged")
    REFUSED = "refused", pgettext_lazy("rows of an import", "Errors")


class ImportNotPossible(Exception):
    """It was applied or undone already, has errors, waits for a second person, or its time is over."""


class ImportQuerySet(models.QuerySet["Import"]):
    def due(self, at: datetime) -> Self:
        """Running imports whose last worker did not finish in time (index: import_due)."""
        return self.filter(state__in=RUNNING, lease_at__lte=at)

    def old(self, at: datetime) -> Self:
        return self.filter(created_at__lt=at - KEPT_FOR)

    def uncorrectable(self, at: datetime) -> Self:
        """Imports whose file is not needed any more."""
        return self.exclude(state=ImportState.CHECKED, created_at__gt=at - CORRECTED_WITHIN)

    def of(self, person: Person) -> Self:
        """The imports of files that a person may see: their own. Others name rows that may be out of sight."""
        files = self.filter(edit__isnull=True)
        if may_within(person, Permission.IMPORT_FLEET, EVERYTHING):
            return files
        return files.filter(created_by=person.pk)

    def edits_of(self, person: Person) -> Self:
        """The bulk edits that a person may see: their own; those who may change everything see all."""
        edits = self.filter(edit__isnull=False)
        if all(may_within(person, permission, EVERYTHING) for permission in OF_EDITS):
            return edits
        return edits.filter(created_by=person.pk)


class Import(models.Model):
    """A file that a person checked, and applied or not; or a bulk edit of terminals. Its rows are in its parts."""

    kind = models.CharField(max_length=16)
    """The kind of the rows of a file, or of the edit."""
    edit = models.JSONField(null=True)
    """What a bulk edit does: see `tms.transfer.kinds.edits.Edit`. None for a file."""
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
    effects = models.JSONField(default=list, db_default=[])
    """What else its rows change: see `tms.transfer.effects`."""
    absent_become = models.CharField(max_length=16, choices=Absence, default=Absence.KEEP, db_default=Absence.KEEP)
    approval = models.ForeignKey(ApprovalRequest, models.SET_NULL, null=True, related_name="+")
    """The last request for a second person, if it needs one."""
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
        return self.number(Effect.CREATED) + self.number(Effect.CHANGED) + self.absent_changes(self.absent_become)

    def absent_changes(self, become: str) -> int:
        """How many terminals that are not in the file change if they become this."""
        number: int = self.counts.get(ABSENT_COUNTS[become], 0) if become in ABSENT_COUNTS else 0
        return number

    def number(self, effect: Effect) -> int:
        number: int = self.counts.get(effect.value, 0)
        return number

    @property
    def is_edit(self) -> bool:
        return self.edit is not None

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING

    @property
    def is_checked(self) -> bool:
        return self.state == ImportState.CHECKED

    @property
    def may_be_applied(self) -> bool:
        """A file is applied as a whole. A bulk edit leaves out what is refused."""
        changes = self.changes + self.number(Effect.ABSENT)
        return self.is_checked and (self.is_edit or not self.number(Effect.REFUSED)) and changes > 0

    def is_waiting(self, at: datetime) -> bool:
        """Whether a second person may still approve it."""
        return self.is_checked and self._request_state(at) == ApprovalState.WAITING

    def state_label(self, at: datetime) -> str:
        request = self._request_state(at) if self.is_checked else ""
        return str(REQUEST_LABELS.get(request) or ImportState(self.state).label)

    def _request_state(self, at: datetime) -> str:
        if self.approval is None:
            return ""
        is_over = self.approval.is_waiting and self.approval.expires_at <= at
        return ApprovalState.EXPIRED if is_over else self.approval.state

    @property
    def undo_until(self) -> datetime | None:
        return self.applied_at + UNDO_WITHIN if self.applied_at else None

    def may_be_undone(self, at: datetime) -> bool:
        return self.state == ImportState.APPLIED and self.undo_until is not None and at < self.undo_until


class BulkEdit(Import):
    """An import that is a bulk edit: what the audit trail calls it."""

    class Meta:
        proxy = True
        verbose_name = _("bulk edit")
        verbose_name_plural = _("bulk edits")


class ImportSource(models.Model):
    """The file of a checked import, and what people corrected in it on the page."""

    of = models.OneToOneField(Import, models.CASCADE, primary_key=True, related_name="source")
    data = models.BinaryField()
    """Compressed by zlib."""
    corrections: models.JSONField[list[Any], list[Any]] = models.JSONField(default=list)
    """Row, column, value and the value instead of it."""

    objects = models.Manager["ImportSource"]()

    def __str__(self) -> str:
        return str(self.of_id)


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
