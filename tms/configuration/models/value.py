"""Values of keys, in layers."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByGroup, BySite, ByTerminal, Scope, ScopePath, Through
from tms.configuration.models.key import ConfigurationKey
from tms.configuration.models.version import ConfigurationVersion
from tms.fleet.models import Group, Region, Site, Terminal


class Layer(models.TextChoices):
    """Later wins."""

    FLEET = "fleet", pgettext_lazy("layer of a configuration", "Fleet")
    REGION = "region", pgettext_lazy("layer of a configuration", "Region")
    GROUP = "group", pgettext_lazy("layer of a configuration", "Group")
    SITE = "site", pgettext_lazy("layer of a configuration", "Site")
    TERMINAL = "terminal", pgettext_lazy("layer of a configuration", "Terminal")


class ByLayer(ScopePath):
    """What a value is for decides. Values of the fleet are seen by everybody, and covered by everything alone."""

    def seen(self, scope: Scope) -> models.Q:
        found = models.Q(layer=Layer.FLEET)
        for path in self._paths:
            found |= path.seen(scope)
        return found

    def covered(self, scope: Scope) -> models.Q:
        found = models.Q(pk__in=())
        for path in self._paths:
            found |= path.covered(scope)
        return found

    @property
    def _paths(self) -> tuple[ScopePath, ...]:
        return Through("region", "fleet.Region"), ByGroup("group"), BySite("site"), ByTerminal("terminal")


def _one_in_force(layer: Layer) -> models.UniqueConstraint:
    place = () if layer is Layer.FLEET else (layer.value,)
    in_force = models.Q(layer=layer, until=None)
    return models.UniqueConstraint(fields=("key", *place), name=f"layervalue_{layer.value}", condition=in_force)


class LayerValue(models.Model):
    """A value of a key at one place, from a version on until another. What `layer` names has its column set."""

    key = models.ForeignKey(ConfigurationKey, models.CASCADE, related_name="values")
    layer = models.CharField(max_length=16, choices=Layer)
    region = models.ForeignKey(Region, models.CASCADE, null=True, related_name="+")
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="+")
    terminal = models.ForeignKey(Terminal, models.CASCADE, null=True, related_name="+")
    value: models.JSONField[Any, Any] = models.JSONField(null=True)
    secret = models.TextField(blank=True)
    """The encrypted value of a secret key."""
    since = models.ForeignKey(ConfigurationVersion, models.PROTECT, related_name="values_set")
    until = models.ForeignKey(ConfigurationVersion, models.PROTECT, null=True, related_name="values_ended")
    """The version from which on it does not apply any more."""

    scope_path = ByLayer()

    class Meta:
        constraints = tuple(map(_one_in_force, Layer))

    def __str__(self) -> str:
        return f"{self.key_id} {self.layer}"

    @property
    def place_id(self) -> int:
        """The row that `layer` names; 0 for the fleet."""
        found: int | None = None if self.layer == Layer.FLEET else getattr(self, f"{self.layer}_id")
        return found or 0
