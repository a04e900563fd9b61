"""Teams of people."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByGrants
from tms.lib.text_fields import LineField


class Team(models.Model):
    """People who hold grants together."""

    name = LineField(_("name"), max_length=100, unique=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="teams", blank=True, verbose_name=_("members")
    )

    scope_path = ByGrants("team")

    class Meta:
        ordering = ("name",)
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name

    @property
    def is_of_directory(self) -> bool:
        """Its name and members are managed by SCIM."""
        return hasattr(self, "provisioned")
