"""Artifacts: files that terminals install, with their signed manifests. They never change."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.artifacts.models.storage import artifact_storage
from tms.lib.text_fields import LineField, LinesField


class ArtifactQuerySet(models.QuerySet["Artifact"]):
    def usable(self) -> Self:
        """Artifacts that a rollout may still use."""
        return self.filter(withdrawn_at=None)


class Artifact(models.Model):
    """One file. `manifest` is the exact text that was signed; the other columns repeat what it says."""

    name = LineField(_("name"), max_length=64)
    """The product: `kiosk-firmware`. `tms-agent` is the agent itself."""
    version = LineField(_("version"), max_length=64)
    format = LineField(_("format"), max_length=32)
    """What installs it: `swu`, `raucb`, `apk`, `msi`, …; each terminal knows those that it is set up for."""
    for_models: models.JSONField[list[str], list[str]] = models.JSONField(_("models"), default=list)
    replaces_from = LineField(_("may replace from"), max_length=64, blank=True)
    replaces_below = LineField(_("may replace below"), max_length=64, blank=True)
    """The versions that it may be installed over; empty for no limit."""
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    sha1 = models.CharField(max_length=40)
    """Only updaters that know nothing better compare it."""
    expires_at = models.DateTimeField(_("manifest expires at"))
    manifest = models.TextField()
    signatures: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField(default=list)
    """`{"key": its name, "signature": Ed25519 in Base64}`."""
    file = models.FileField(max_length=200, storage=artifact_storage)
    """Its name in the storage is random, and says nothing."""
    notes = LinesField(_("notes"), max_length=2_000, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    withdrawn_reason = LinesField(_("reason"), max_length=500, blank=True)

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("artifact")
        verbose_name_plural = _("artifacts")
        constraints = (models.UniqueConstraint(fields=("name", "version", "format"), name="artifact_once"),)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("artifact", args=(self.pk,))
