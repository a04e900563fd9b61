"""Regions: parts of the fleet that people name, above sites."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByRegion
from tms.lib.text_fields import LineField


class RegionManager(models.Manager["Region"]):
    def get_by_natural_key(self, name: str) -> Region:
        """Lets `loaddata` find the region that exists already."""
        return self.get(name=name)


class Region(models.Model):
    """A region. Sites, grants, owners and screens refer to it by its name."""

    name = LineField(_("name"), max_length=100, unique=True)
    name_ja = LineField(_("Japanese name"), max_length=100, blank=True, default="", db_default="")

    scope_path = ByRegion()
    objects: ClassVar[RegionManager] = RegionManager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        constraints = (models.CheckConstraint(name="region_named", condition=~models.Q(name="")),)

    def __str__(self) -> str:
        return self.local_name

    def natural_key(self) -> tuple[str]:
        return (self.name,)

    @property
    def local_name(self) -> str:
        """The name in the active language."""
        return self.name_ja if self.name_ja and get_language() == "ja" else self.name
