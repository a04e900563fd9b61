"""Credentials of terminals, and the enrolment tokens that are exchanged for them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import BySiteOrRegion, ByTerminal
from tms.accounts.scope.region_field import RegionField
from tms.fleet.models.device import Device
from tms.fleet.models.site import Site
from tms.fleet.models.terminal import Terminal, TerminalKind
from tms.lib.text_fields import LineField


class CredentialQuerySet(models.QuerySet["Credential"]):
    def valid(self, at: datetime) -> Self:
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=at), revoked_at=None)


class Credential(models.Model):
    """A device's key, stored only as the SHA-256 of its 256-bit secret. Two may be valid at once, for rotation."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="credentials")
    """The terminal of its device. The link finds a key by the UID, so it is stored here, too."""
    device = models.ForeignKey(Device, models.PROTECT, null=True, blank=True, related_name="credentials")
    """The device that has it. None: issued before any device was known."""
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    """When a link began with it last."""

    objects = CredentialQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        # Reader: every node's poll for links that must close.
        indexes = (
            models.Index(
                fields=("revoked_at",), name="credential_revoked", condition=models.Q(revoked_at__isnull=False)
            ),
            models.Index(
                fields=("expires_at",), name="credential_expires", condition=models.Q(expires_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.digest[:8]}"


class EnrolmentToken(models.Model):
    """Lets new terminals fetch their credentials: one, or as many as `uses`, of a site or a region."""

    name = LineField(_("name"), max_length=100, blank=True, default="", db_default="")
    digest = models.CharField(max_length=64, unique=True)
    site = models.ForeignKey(Site, models.CASCADE, null=True, blank=True, related_name="enrolment_tokens")
    region = RegionField(_("region"))
    """Set instead of the site: each terminal names a site of the region."""
    terminal = models.ForeignKey(Terminal, models.SET_NULL, null=True, blank=True)
    """The planned terminal that it is for; after the first use of a token without one, the terminal that it made."""
    kind = models.CharField(_("kind"), max_length=16, choices=TerminalKind, blank=True, default="", db_default="")
    """The kind of the terminals; empty: each says its own."""
    uses = models.PositiveIntegerField(_("uses"), default=1, db_default=1)
    uses_left = models.PositiveIntegerField(_("uses left"), default=1, db_default=1)
    serials = models.JSONField(
        _("serial numbers"), default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    """Only devices with one of these; empty: any."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    """When it was used last."""
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    scope_path = BySiteOrRegion("site", "region")

    class Meta:
        verbose_name = _("enrolment token")
        verbose_name_plural = _("enrolment tokens")
        constraints = (
            models.CheckConstraint(
                name="enrolmenttoken_place",
                condition=models.Q(site__isnull=False, region="") | (models.Q(site=None) & ~models.Q(region="")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.site or self.region} {self.digest[:8]}"
