"""The base of rows that belong to a part of the fleet."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.grant import at_most_one
from tms.accounts.scope import ByOwner, Scope
from tms.accounts.scope.region_field import RegionField


class Owned(models.Model):
    """A row that belongs to a region, a site or a group; by default to the whole fleet.

    People read it if their scope overlaps the owner's, and change it if their permission covers the owner's. A site or
    group that owns something cannot be deleted.
    """

    owner_region = RegionField(_("owner: region"))
    owner_site = models.ForeignKey(
        "fleet.Site", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner: site")
    )
    owner_group = models.ForeignKey(
        "fleet.Group", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner: group")
    )

    scope_path = ByOwner()

    class Meta:
        abstract = True

    @property
    def owner(self) -> Scope:
        return Scope.of(self.owner_region, self.owner_site_id, self.owner_group_id)


def one_owner(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=name,
        condition=at_most_one("owner_region", "owner_site", "owner_group"),
        violation_error_message=_("Choose at most one of region, site and group."),
    )
