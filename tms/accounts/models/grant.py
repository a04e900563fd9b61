"""Grants: roles for scopes, held by people and teams."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.role import Role
from tms.accounts.models.team import Team
from tms.accounts.scope import ByOwner, Scope
from tms.accounts.scope.region_field import RegionField


def at_most_one(region: str, site: str, group: str) -> models.Q:
    """The condition that at most one of these columns of a scope is set."""
    no_region, no_site, no_group = (
        models.Q(**{region: ""}),
        models.Q(**{f"{site}__isnull": True}),
        models.Q(**{f"{group}__isnull": True}),
    )
    return (no_region & no_site) | (no_region & no_group) | (no_site & no_group)


class Grant(models.Model):
    """A role for a scope, held by a person or a team. Without region, site and group it is for everything."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name=_("person"),
    )
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("team"))
    role = models.ForeignKey(Role, models.PROTECT, related_name="grants", verbose_name=_("role"))
    region = RegionField(_("region"))
    site = models.ForeignKey(
        "fleet.Site", models.PROTECT, null=True, blank=True, related_name="grants", verbose_name=_("site")
    )
    group = models.ForeignKey(
        "fleet.Group", models.PROTECT, null=True, blank=True, related_name="grants", verbose_name=_("group")
    )
    provider = models.ForeignKey(
        "accounts.IdentityProvider",
        models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="grants",
        verbose_name=_("identity provider"),
    )
    """Set if it follows from groups at this provider: renewed at each sign-in there, and never changed by hand."""
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    scope_path = ByOwner(prefix="")

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = (
            models.CheckConstraint(
                name="grant_one_holder",
                condition=models.Q(person__isnull=True) ^ models.Q(team__isnull=True),
                violation_error_message=_("Choose a person or a team."),
            ),
            models.CheckConstraint(
                name="grant_one_scope",
                condition=at_most_one("region", "site", "group"),
                violation_error_message=_("Choose at most one of region, site and group."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.person or self.team}: {self.role} ({self.scope_name})"

    @property
    def scope(self) -> Scope:
        return Scope.of(self.region, self.site_id, self.group_id)

    @property
    def scope_name(self) -> str:
        return str(self.region or self.site or self.group or gettext("everything"))
