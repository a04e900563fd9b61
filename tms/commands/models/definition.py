"""Commands that customers define."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.lib.text_fields import LineField, LongLinesField


class Danger(models.TextChoices):
    """What a command can do to customers, from harmless to worst."""

    NONE = "none", pgettext_lazy("danger", "None")
    INTERRUPTS = "interrupts", pgettext_lazy("danger", "Interrupts the terminal")
    CUTS_LINK = "cuts_link", pgettext_lazy("danger", "May cut the link")
    DELETES_DATA = "deletes_data", pgettext_lazy("danger", "Deletes data")


class CommandDefinition(models.Model):
    """A command that customers added to those of TMS. Its terminals have a handler of this name."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    label = LineField(_("label"), max_length=100)
    label_ja = LineField(_("Japanese label"), max_length=100, blank=True)
    arguments: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("arguments"), default=dict)
    """JSON Schema 2020-12, within the bounds of `tms.commands.argument_schemas`."""
    arguments_text = LongLinesField(blank=True, default="", db_default="")
    """The same as it was written: PostgreSQL would order the names by their length. Ignored if it differs."""
    kinds: models.JSONField[list[str], list[str]] = models.JSONField(_("kinds"), default=list, blank=True)
    """Kinds of terminals that it is for; empty for all."""
    terminal_models: models.JSONField[list[str], list[str]] = models.JSONField(_("models"), default=list, blank=True)
    """Models that it is for; empty for all."""
    danger = models.CharField(_("danger"), max_length=16, choices=Danger, default=Danger.NONE)
    answer_within_s = models.FloatField(_("answer within (seconds)"), default=30)
    max_result_bytes = models.PositiveIntegerField(_("largest result (bytes)"), default=4096)
    files = models.PositiveSmallIntegerField(_("files"), default=0, db_default=0)
    """How many files its terminals may upload."""
    file_types: models.JSONField[list[str], list[str]] = models.JSONField(
        _("media types"), default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    max_file_bytes = models.PositiveIntegerField(_("largest file (bytes)"), default=50_000_000, db_default=50_000_000)

    class Meta:
        ordering = ("name",)
        verbose_name = _("defined command")
        verbose_name_plural = _("defined commands")

    def __str__(self) -> str:
        return self.name

    @property
    def ordered_arguments(self) -> dict[str, Any]:
        """The schema with its arguments in the order in which they were written."""
        written: dict[str, Any] = json.loads(self.arguments_text) if self.arguments_text else {}
        return written if written == self.arguments else self.arguments
