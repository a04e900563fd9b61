"""What each terminal shall have, and what it reported."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByTerminal
from tms.configuration.models.version import ConfigurationVersion
from tms.fleet.models import Terminal
from tms.lib.text_fields import LinesField


class TerminalConfigurationQuerySet(models.QuerySet["TerminalConfiguration"]):
    def differing(self) -> Self:
        """The rows of terminals that can be configured and report something else (index: configuration_differs)."""
        return self.filter(reported__isnull=False).exclude(reported=models.F("revision"))


class TerminalConfiguration(models.Model):
    """`revision` is what the link calls the version: it counts the different contents that this terminal shall have.

    A terminal that moved to another site may need other values of the same version.
    """

    terminal = models.OneToOneField(Terminal, models.CASCADE, primary_key=True, related_name="configuration")
    version = models.ForeignKey(ConfigurationVersion, models.SET_NULL, null=True, related_name="terminals")
    revision = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    """HMAC of the desired content: without its key nobody can guess secrets from it."""
    desired_at = models.DateTimeField(null=True)
    applied_version = models.ForeignKey(ConfigurationVersion, models.SET_NULL, null=True, related_name="+")
    applied_digest = models.CharField(max_length=64, blank=True)
    """The version and the content of `reported`, while that is a revision that TMS sent."""
    reported = models.BigIntegerField(null=True)
    """The revision that it applied, 0 for none; None if it cannot be configured."""
    reported_at = models.DateTimeField(null=True)
    refused: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)
    """Why keys of the reported revision have not got their values."""
    needs_restart = models.BooleanField(default=False)
    error = LinesField(_("error"), max_length=500, blank=True)
    """Why it refused the desired revision, or undid it."""
    is_stale = models.BooleanField(default=False)
    """Whether its content must be compared again: it moved, or reports another revision than it had."""
    held_at = models.DateTimeField(null=True)
    """When it began to wait for a rollout, because too many moved at once."""

    objects = TerminalConfigurationQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        indexes = (
            # Readers: the numbers and lists of those that differ, and the rule *Configuration differs*.
            models.Index(
                fields=("terminal",),
                name="configuration_differs",
                condition=models.Q(reported__isnull=False) & ~models.Q(reported=models.F("revision")),
            ),
            # Reader: the clock, which sends terminals that moved their new content.
            models.Index(fields=("terminal",), name="configuration_stale", condition=models.Q(is_stale=True)),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.revision}"

    @property
    def differs(self) -> bool:
        return self.reported is not None and self.reported != self.revision
