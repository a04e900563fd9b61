"""Credentials of terminals, and the enrolment tokens that are exchanged for them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.fleet.models.site import Site
from tms.fleet.models.terminal import Terminal


class Credential(models.Model):
    """A terminal's key, stored only as the SHA-256 of its 256-bit secret. Two may be valid at once, for rotation."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="credentials")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

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
    """Lets one new terminal of a site fetch its credential, once."""

    digest = models.CharField(max_length=64, unique=True)
    site = models.ForeignKey(Site, models.CASCADE, related_name="enrolment_tokens")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    terminal = models.ForeignKey(Terminal, models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("enrolment token")
        verbose_name_plural = _("enrolment tokens")

    def __str__(self) -> str:
        return f"{self.site} {self.digest[:8]}"
