"""People as identity providers know them, and their sessions there."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.identity_provider import IdentityProvider
from tms.lib.hashing import hash_token


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


class SpentTokenQuerySet(models.QuerySet["SpentToken"]):
    def spend(self, text: str, *, until: datetime, provider: IdentityProvider | None = None) -> bool:
        """Spend a token. Returns False if it was spent before, also by a request that arrived at the same time."""
        try:
            with transaction.atomic():
                self.create(provider=provider, digest=hash_token(text), expires_at=until)
        except IntegrityError:
            return False
        return True


class SpentToken(models.Model):
    """What counts once, and was used: a logout token of a provider, or the state or challenge of a sign-in that a
    browser began. The row lasts until the token itself is too old."""

    provider = models.ForeignKey(IdentityProvider, models.CASCADE, null=True, related_name="+")
    """Whose token it is; None for what TMS made."""
    digest = models.CharField(max_length=64)
    """SHA-256 of the token's `jti`, of the state or of the challenge."""
    expires_at = models.DateTimeField(db_index=True)

    objects = SpentTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("spent token")
        verbose_name_plural = _("spent tokens")
        constraints = (
            models.UniqueConstraint(fields=("provider", "digest"), name="spent_token_once"),
            models.UniqueConstraint(fields=("digest",), condition=models.Q(provider=None), name="spent_challenge_once"),
        )

    def __str__(self) -> str:
        return self.digest
