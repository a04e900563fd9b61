"""Files of terminals: offered with a command, received in parts, then one object in the storage."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.commands.models import Command, CommandState
from tms.fleet.models import Terminal
from tms.lib.text_fields import LineField


class FileState(models.TextChoices):
    OFFERED = "offered", pgettext_lazy("file", "Offered")
    RECEIVING = "receiving", pgettext_lazy("file", "Uploading")
    COMPLETE = "complete", pgettext_lazy("file", "Complete")
    FAILED = "failed", pgettext_lazy("file", "Incomplete")


JOINING = timedelta(minutes=2)
"""Another process joins the parts again if the first one took longer: it died."""


class TerminalFileQuerySet(models.QuerySet["TerminalFile"]):
    def begun(self) -> Self:
        """Files of which the terminal announced the name and the length."""
        return self.exclude(state=FileState.OFFERED)

    def received(self) -> Self:
        """All bytes are there, but they are not joined."""
        return self.filter(state=FileState.RECEIVING, offset=models.F("length"))

    def unjoined(self, at: datetime) -> Self:
        """Received, and no process joins them."""
        return self.received().filter(models.Q(joining_at=None) | models.Q(joining_at__lte=at - JOINING))

    def abandoned(self, at: datetime) -> Self:
        """Not received by the end of their command (index: terminalfile_open, read by the clock)."""
        ended = models.Q(expires_at__lte=at) | ~models.Q(command__state=CommandState.SENT)
        return self.filter(ended, state=FileState.RECEIVING, offset__lt=models.F("length"))

    def unused(self, at: datetime) -> Self:
        return self.filter(state=FileState.OFFERED, expires_at__lte=at)

    def uncleared(self, at: datetime) -> Self:
        """Ended, with parts that the storage did not delete then."""
        ended = FilePart.objects.exclude(file__state=FileState.RECEIVING)
        return self.filter(pk__in=ended.values("file"))

    def old(self, at: datetime) -> Self:
        """Kept long enough (index: terminalfile_begun, read by the clock)."""
        kept = timedelta(days=settings.FILES_DAYS)
        return self.filter(state__in=(FileState.COMPLETE, FileState.FAILED), begun_at__lte=at - kept)


class TerminalFile(models.Model):
    """One file of one command. The address of its upload contains a token, of which the digest is stored."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="files")
    command = models.ForeignKey(Command, models.CASCADE, related_name="files")
    number = models.PositiveSmallIntegerField()
    """1 for the first file of the command."""
    digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=FileState, default=FileState.OFFERED)
    expires_at = models.DateTimeField()
    """Nothing is received from then on."""
    max_bytes = models.PositiveIntegerField()
    media_types: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    """The allowed ones."""
    name = LineField(_("name"), max_length=100, blank=True)
    """What the terminal calls it, without folders. It is shown, and names nothing in the storage or in a download."""
    media_type = models.CharField(_("media type"), max_length=101, blank=True)
    length = models.PositiveBigIntegerField(_("size"), default=0)
    offset = models.PositiveBigIntegerField(default=0)
    """Bytes that are stored."""
    parts = models.PositiveIntegerField(default=0)
    claimed_sha256 = models.CharField(max_length=64, blank=True)
    """What the terminal says that it is; empty if it says nothing."""
    sha256 = models.CharField(max_length=64, blank=True)
    folder = models.CharField(max_length=64)
    """Where the storage has its parts and the whole: a random name."""
    content = models.CharField(max_length=100, blank=True)
    """The name of the whole in the storage."""
    begun_at = models.DateTimeField(null=True)
    joining_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    objects = TerminalFileQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("file of a terminal")
        verbose_name_plural = _("files of terminals")
        constraints = (
            models.UniqueConstraint(fields=("command", "number"), name="terminalfile_number"),
            models.CheckConstraint(condition=models.Q(offset__lte=models.F("length")), name="terminalfile_offset"),
        )
        indexes = (
            models.Index(
                fields=("expires_at",),
                name="terminalfile_open",
                condition=models.Q(state__in=(FileState.OFFERED, FileState.RECEIVING)),
            ),
            models.Index(fields=("begun_at",), name="terminalfile_begun", condition=models.Q(begun_at__isnull=False)),
            # Reader: what a terminal uploaded within a day.
            models.Index(fields=("terminal", "begun_at"), name="terminalfile_terminal"),
        )

    def __str__(self) -> str:
        return f"{self.command_id}.{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("download-file", args=(self.pk,))

    @property
    def is_complete(self) -> bool:
        return self.state == FileState.COMPLETE

    @property
    def percent(self) -> int:
        return int(100 * self.offset / self.length) if self.length else 0


class FilePart(models.Model):
    """Bytes of a file that arrived with one request: an object of its own, because the next may reach another node."""

    file = models.ForeignKey(TerminalFile, models.CASCADE, related_name="received_parts")
    offset = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    content = models.CharField(max_length=100)
    """Its name in the storage."""

    scope_path = ByTerminal("file__terminal")

    class Meta:
        ordering = ("file", "offset")
        constraints = (models.UniqueConstraint(fields=("file", "offset"), name="filepart_once"),)

    def __str__(self) -> str:
        return f"{self.file_id}@{self.offset}"
