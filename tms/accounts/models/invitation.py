"""Invitations of new people."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> Self:
        """The invitations that are not accepted yet; their links may have expired."""
        return self.filter(accepted_at=None)

    def usable(self, at: datetime) -> Self:
        """Pending, not expired, and the person is not disabled."""
        return self.pending().filter(expires_at__gt=at, person__is_active=True)


class Invitation(models.Model):
    """Lets a new person set a name and a password, once. Stores only the SHA-256 of the 256-bit secret in its link."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitation", verbose_name=_("person")
    )
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    sent_at = models.DateTimeField(null=True)
    """When the mail server accepted the mail; null if it never did."""
    accepted_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return str(self.person)

    @property
    def is_pending(self) -> bool:
        return self.accepted_at is None

    def is_expired(self, at: datetime) -> bool:
        return self.expires_at <= at
