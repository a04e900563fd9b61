"""Teams that the directory manages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.provisioned.row import Provisioned
from tms.accounts.models.team import Team


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
