"""Values of keys, in layers."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import pgettext_lazy

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


class LayerValue(models.Model):
    """A value of a key at one place, from a version on until another. What `layer` names has its column set."""

    key = models.ForeignKey(ConfigurationKey, models.CASCADE, related_name="values")
    layer = models.CharField(max_length=16, choices=Layer)
    region = models.ForeignKey(Region, models.CASCADE, null=True, related_name="+")
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="+")
    terminal = models.ForeignKey(Terminal, models.CASCADE, null=True, related_name="+")
    value: models.JSONField[Any, Any] = models.JSONField(null=True)
    secret = models.BinaryField(null=True)
    """The encrypted JSON of the value of a secret key."""
    since = models.ForeignKey(ConfigurationVersion, models.CASCADE, related_name="values_set")
    until = models.ForeignKey(ConfigurationVersion, models.CASCADE, null=True, related_name="values_ended")
    """The version from which on it does not apply any more."""

    def __str__(self) -> str:
        return f"{self.key_id} {self.layer}"
