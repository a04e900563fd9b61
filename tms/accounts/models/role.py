"""Roles: named sets of permissions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.permissions import Permission
from tms.lib.text_fields import LineField

BUILT_IN_NAMES = {
    "Viewer": pgettext_lazy("role", "Viewer"),
    "Operator": pgettext_lazy("role", "Operator"),
    "Lead": pgettext_lazy("role", "Lead"),
    "Administrator": pgettext_lazy("role", "Administrator"),
}


class Role(models.Model):
    """A named set of permissions. The built-in ones are those of `tms.accounts.roles`."""

    name = LineField(_("name"), max_length=100, unique=True)
    description = LineField(_("description"), max_length=200, blank=True, default="", db_default="")
    permissions = models.JSONField(_("permissions"), default=list, blank=True)
    """`Permission.key` of each. Unknown ones are of another release, and have no effect."""
    is_builtin = models.BooleanField(_("built-in"), default=False, db_default=False, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        """The name in the active language, if the role is built in."""
        return str(BUILT_IN_NAMES.get(self.name, self.name)) if self.is_builtin else self.name

    @property
    def known_permissions(self) -> frozenset[Permission]:
        return frozenset(permission for permission in Permission if permission.key in self.permissions)
