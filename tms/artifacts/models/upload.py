"""Uploads: files that arrive in parts and are checked, before one becomes an artifact."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField


class ArtifactUploadQuerySet(models.QuerySet["ArtifactUpload"]):
    def unchecked(self, at: datetime) -> Self:
        """Complete, without its hash (reader: the clock)."""
        return self.filter(offset=F("length"), sha256="")

    def old(self, at: datetime) -> Self:
        return self.filter(expires_at__lte=at)


class ArtifactUpload(models.Model):
    """Only the person who began it sees it. Checks are not stored: keys may be added while it waits."""

    key = models.CharField(max_length=43, unique=True)
    """Names it in addresses."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = LineField(_("name"), max_length=100)
    """What the browser calls the file."""
    length = models.PositiveBigIntegerField(_("size"))
    offset = models.PositiveBigIntegerField(default=0)
    """Bytes that are stored."""
    stored_as = models.CharField(max_length=32)
    multipart = models.TextField(blank=True)
    """The id of the multipart upload to S3."""
    parts: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    """The ETags of its parts."""
    manifest = models.TextField(blank=True)
    signatures: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField(default=list)
    hashed = models.PositiveBigIntegerField(default=0)
    """Bytes that were read again, for the hashes."""
    sha256 = models.CharField(max_length=64, blank=True)
    sha1 = models.CharField(max_length=40, blank=True)
    begun_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    """A day after the last part; then it is deleted."""

    objects = ArtifactUploadQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("upload of an artifact")
        verbose_name_plural = _("uploads of artifacts")
        constraints = (models.CheckConstraint(condition=Q(offset__lte=F("length")), name="artifactupload_offset"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_complete(self) -> bool:
        return self.offset == self.length

    @property
    def percent(self) -> int:
        return int(100 * self.offset / self.length)
