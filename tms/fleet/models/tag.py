"""Tags: words that people put on sites, terminals and devices to find and group them."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByDevice, BySite, ByTerminal
from tms.fleet.models.device import Device
from tms.fleet.models.site import Site
from tms.fleet.models.terminal import Terminal

MAX_TAG_CHARACTERS = 40
TAG = re.compile(r"[^\s()（）\"',、:：<>＜＞=＝*\x00-\x1f]{1,40}")
"""What a tag may be: a word that needs no quotes in a query."""


def check_tag(name: str) -> None:
    if not TAG.fullmatch(name):
        raise ValidationError(_('A tag is one word of at most 40 characters, without ( ) " , : < > = *.'))


class _Tagging(models.Model):
    name = models.CharField(_("tag"), max_length=MAX_TAG_CHARACTERS, validators=(check_tag,))
    """The tag in lower case, so that one tag has one spelling."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class TerminalTag(_Tagging):
    """Entries of the audit trail about a tag of the whole fleet are about this kind."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="tags", db_index=False)

    scope_path = ByTerminal("terminal")

    class Meta:
        # Readers: the tags of a terminal; queries for terminals with a tag, and the tags that begin with a text.
        constraints = (models.UniqueConstraint(fields=("terminal", "name"), name="terminal_tag"),)
        indexes = (models.Index(fields=("name", "terminal"), name="terminal_tag_name"),)


class SiteTag(_Tagging):
    """A tag of a site is one of all of its terminals, too."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="tags", db_index=False)

    scope_path = BySite("site")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site", "name"), name="site_tag"),)
        indexes = (models.Index(fields=("name", "site"), name="site_tag_name"),)


class DeviceTag(_Tagging):
    """A tag of a device stays with the hardware when it serves elsewhere."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="tags", db_index=False)

    scope_path = ByDevice("device")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("device", "name"), name="device_tag"),)
        indexes = (models.Index(fields=("name", "device"), name="device_tag_name"),)
