from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.identity_provider import IdentityProvider


class Identity(models.Model):
    """A person as a provider knows them. Found by issuer and subject only, which never change or pass to others."""

    provider = models.ForeignKey(
        IdentityProvider, models.CASCADE, related_name="identities", verbose_name=_("identity provider")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities", verbose_name=_("person")
    )
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    is_provisioned = models.BooleanField(default=False, db_default=False)
    """The provider created the person: their name and address follow it."""
    created_at = models.DateTimeField(db_default=Now())
    signed_in_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = (
            models.UniqueConstraint(fields=("provider", "issuer", "subject"), name="identity_one_subject"),
            models.UniqueConstraint(fields=("provider", "person"), name="identity_one_person"),
        )

    def __str__(self) -> str:
        return f"{self.provider}: {self.subject}"


class ProviderSession(models.Model):
    """A browser session that began at a provider: the provider may end it."""

    session_key = models.CharField(max_length=40, unique=True)
    """The stored key, which is not that of the cookie."""
    identity = models.ForeignKey(Identity, models.CASCADE, related_name="sessions")
    sid = models.CharField(max_length=255, blank=True, default="", db_default="", db_index=True)
    """The session at the provider; empty if it named none."""
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("session of a provider")
        verbose_name_plural = _("sessions of providers")

    def __str__(self) -> str:
        return f"{self.identity} {self.sid}"


class SpentToken(models.Model):
    """A logout token that was accepted. The row lasts until the token itself is too old."""

    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    """SHA-256 of its `jti`."""
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("spent logout token")
        verbose_name_plural = _("spent logout tokens")
        constraints = (models.UniqueConstraint(fields=("provider", "digest"), name="spent_token_once"),)

    def __str__(self) -> str:
        return self.digest
