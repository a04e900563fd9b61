"""Contacts of a site."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import Through
from tms.lib.text_fields import LineField


class SiteContact(models.Model):
    """Whom to call about a site: its office, the support of a carrier, a field service."""

    site = models.ForeignKey("fleet.Site", models.CASCADE, related_name="contacts")
    position = models.PositiveSmallIntegerField(default=0)
    name = LineField(_("name"), max_length=100)
    phone = LineField(_("phone"), max_length=32, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    note = LineField(_("note"), max_length=200, blank=True)

    scope_path = Through("site", "fleet.Site")

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.name
