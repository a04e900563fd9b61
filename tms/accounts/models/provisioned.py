"""What the directory of a company manages, by SCIM: people and teams."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.team import Team
from tms.lib.text_fields import LineField

MAX_EXTERNAL_ID_CHARACTERS = 255


class Provisioned(models.Model):
    """What the directory (SCIM) knows about a row that it manages."""

    external_id = LineField(max_length=MAX_EXTERNAL_ID_CHARACTERS, blank=True, default="")
    """The identifier in the directory; empty if it sends none."""
    created_at = models.DateTimeField(_("created at"))
    changed_at = models.DateTimeField(_("changed at"))
    """When the directory last changed it."""

    class Meta:
        abstract = True


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


class ProvisionedTeam(Provisioned):
    """A team whose name and members the directory manages. Its grants are given in TMS."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="provisioned", verbose_name=_("team"))

    class Meta:
        verbose_name = _("team of the directory")
        verbose_name_plural = _("teams of the directory")
        constraints = (
            models.UniqueConstraint(
                fields=("external_id",), condition=~models.Q(external_id=""), name="team_external_id_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.team)
