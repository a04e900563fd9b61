"""What each terminal shall have, and what it reported."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByTerminal
from tms.configuration.models.version import ConfigurationVersion
from tms.fleet.models import Terminal
from tms.lib.text_fields import LinesField


class TerminalConfiguration(models.Model):
    """`revision` is what the link calls the version: it counts the different contents that this terminal shall have.

    A terminal that moved to another site may need other values of the same version.
    """

    terminal = models.OneToOneField(Terminal, models.CASCADE, primary_key=True, related_name="configuration")
    version = models.ForeignKey(ConfigurationVersion, models.SET_NULL, null=True, related_name="terminals")
    revision = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    """SHA-256 of the desired content, keyed so that it says nothing of secrets."""
    desired_at = models.DateTimeField(null=True)
    reported = models.BigIntegerField(null=True)
    """The revision that it applied, 0 for none; None if it cannot be configured."""
    reported_at = models.DateTimeField(null=True)
    refused: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)
    """Why keys of the reported revision have not got their values."""
    needs_restart = models.BooleanField(default=False)
    error = LinesField(_("error"), max_length=500, blank=True)
    """Why it refused the desired revision, or undid it."""

    scope_path = ByTerminal("terminal")

    class Meta:
        indexes = (
            # Readers: the numbers and lists of those that differ, and the rule *Configuration differs*.
            models.Index(
                fields=("terminal",),
                name="configuration_differs",
                condition=models.Q(reported__isnull=False) & ~models.Q(reported=models.F("revision")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.revision}"

    @property
    def differs(self) -> bool:
        return self.reported is not None and self.reported != self.revision
