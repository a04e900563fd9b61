"""Public keys that uploads are checked against. Terminals have copies of their own, which TMS cannot change."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def trusted(self) -> Self:
        return self.filter(removed_at=None)


class SigningKey(models.Model):
    name = LineField(_("name"), max_length=64, unique=True)
    public_key = models.CharField(_("public key"), max_length=64)
    """Ed25519, 32 bytes in Base64."""
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(_("added at"))
    removed_at = models.DateTimeField(_("removed at"), null=True)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")

    def __str__(self) -> str:
        return self.name
