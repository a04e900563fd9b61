"""API tokens, and what they may do."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField


class TokenScope(models.TextChoices):
    """What a token may do with the permissions of its person."""

    READ = "read", _("Read only")
    FULL = "full", _("Full access")
    SCIM = "scim", _("Directory (SCIM)")
    """The scope of a service account that may use nothing but `/scim/v2/`."""


OF_PEOPLE = (TokenScope.READ, TokenScope.FULL)
"""The scopes of tokens that people create for themselves."""


class TokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self, at: datetime) -> Self:
        """The tokens that are neither revoked nor expired, of people who may still sign in."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=at)
        return self.filter(unexpired, revoked_at=None, person__is_active=True)


class ApiToken(models.Model):
    """Lets another system act as a person over the API. Stores only the SHA-256 of its 256-bit secret."""

    name = LineField(_("name"), max_length=100, help_text=_("The program that uses it."))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("acts as"),
        help_text=_("It has the permissions of this person."),
    )
    scope = models.CharField(
        _("scope"), max_length=8, choices=TokenScope, default=TokenScope.FULL, db_default=TokenScope.FULL
    )
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    """Accurate to a minute."""
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    replaced_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("replaced by")
    )
    """The token with the new secret, after a rotation: both are valid until this one expires."""

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name
