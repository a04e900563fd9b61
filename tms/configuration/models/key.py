"""Keys: what can be configured on terminals, with the schema of its values."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField


class ConfigurationKey(models.Model):
    """`display.brightness`. The part before the first dot is its section on pages."""

    name = LineField(_("key"), max_length=64, unique=True)
    meaning = LineField(_("meaning"), max_length=200, blank=True)
    for_models: models.JSONField[list[str], list[str]] = models.JSONField(_("models"), default=list)
    """Empty for all."""
    schema: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("schema"), default=dict)
    """JSON Schema of a value."""
    needs_restart = models.BooleanField(_("needs a restart"), default=False)
    is_secret = models.BooleanField(_("secret"), default=False)
    """Its values are encrypted, and never shown."""

    class Meta:
        ordering = ("name",)
        verbose_name = _("configuration key")
        verbose_name_plural = _("configuration keys")

    def __str__(self) -> str:
        return self.name
