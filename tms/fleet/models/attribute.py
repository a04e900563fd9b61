"""Attributes: typed values with names that a customer defines for sites, terminals and devices."""

from __future__ import annotations

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByDevice, BySite, ByTerminal
from tms.fleet.models.device import Device
from tms.fleet.models.site import Site
from tms.fleet.models.terminal import Terminal
from tms.lib.text_fields import LineField

MAX_CHOICES = 100
NAME = re.compile(r"^[a-z][a-z0-9_]*\Z")


def check_name(name: str) -> None:
    if not NAME.match(name):
        raise ValidationError(_("Lower-case letters, digits and _, a letter first."))


type AttributeValue = str | float | date


def as_text(value: AttributeValue) -> str:
    """The text that means this value again."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value.isoformat() if isinstance(value, date) else value


class AttributeType(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DAY = "day", pgettext_lazy("type of an attribute", "Date")
    CHOICE = "choice", _("Choice")


class AttributeSubject(models.TextChoices):
    """The rows that have the attribute."""

    SITE = "site", _("Sites")
    TERMINAL = "terminal", _("Terminals")
    DEVICE = "device", _("Devices")


class Attribute(models.Model):
    """The definition of an attribute. Everybody may read it; its values belong to their rows."""

    name = models.CharField(
        _("name"),
        max_length=32,
        unique=True,
        validators=(check_name,),
        help_text=_("Its name in queries: attr.floor:2"),
    )
    label = LineField(_("label"), max_length=60)
    label_ja = LineField(_("Japanese label"), max_length=60, blank=True, default="")
    type = models.CharField(_("type"), max_length=8, choices=AttributeType, default=AttributeType.TEXT)
    subject = models.CharField(_("of"), max_length=8, choices=AttributeSubject, default=AttributeSubject.TERMINAL)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    """The texts that a choice may have, at most `MAX_CHOICES`."""

    class Meta:
        ordering = ("name",)
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")

    def __str__(self) -> str:
        return self.label_ja if self.label_ja and get_language() == "ja" else self.label


class _AttributeValue(models.Model):
    """The value in the column of its type; a choice is a text."""

    text = LineField(max_length=200, blank=True, default="")
    number = models.FloatField(null=True)
    day = models.DateField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return as_text(self.value)

    @property
    def value(self) -> AttributeValue:
        """The value in the type of its attribute."""
        return next((found for found in (self.number, self.day) if found is not None), self.text)


def _indexes(subject: str) -> tuple[models.Index, ...]:
    """Readers: queries that compare an attribute, each in the column of its type."""
    return tuple(
        models.Index(fields=("attribute", column, subject), name=f"{subject}_attribute_{column}")
        for column in ("text", "number", "day")
    )


class TerminalAttribute(_AttributeValue):
    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="terminal_values", db_index=False)
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="attributes", db_index=False)

    scope_path = ByTerminal("terminal")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("terminal", "attribute"), name="terminal_attribute"),)
        indexes = _indexes("terminal")


class SiteAttribute(_AttributeValue):
    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="site_values", db_index=False)
    site = models.ForeignKey(Site, models.CASCADE, related_name="attributes", db_index=False)

    scope_path = BySite("site")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site", "attribute"), name="site_attribute"),)
        indexes = _indexes("site")


class DeviceAttribute(_AttributeValue):
    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="device_values", db_index=False)
    device = models.ForeignKey(Device, models.CASCADE, related_name="attributes", db_index=False)

    scope_path = ByDevice("device")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("device", "attribute"), name="device_attribute"),)
        indexes = _indexes("device")
