"""People whom the directory manages."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.provisioned.row import Provisioned


class ProvisionedPersonQuerySet(models.QuerySet["ProvisionedPerson"]):
    def not_deleted(self) -> Self:
        return self.filter(deleted_at=None)


class ProvisionedPerson(Provisioned):
    """A person whom the directory manages."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="provisioned", verbose_name=_("person")
    )
    deactivated_at = models.DateTimeField(null=True)
    """When the directory disabled the account."""
    deleted_at = models.DateTimeField(null=True)
    """When the directory deleted the person. The account stays, disabled, for the history."""

    objects = ProvisionedPersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("person of the directory")
        verbose_name_plural = _("people of the directory")
        constraints = (
            models.UniqueConstraint(
                fields=("external_id",), condition=~models.Q(external_id=""), name="person_external_id_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.person)
