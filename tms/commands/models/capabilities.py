"""What terminals say at boot that they can do."""

from django.db import models

from tms.accounts.scope import ByTerminal
from tms.fleet.models import Terminal
from tms.lib.text_fields import LinesField


class TerminalCapabilities(models.Model):
    """The commands that a terminal named last. A terminal that never named any has no row.

    A table of its own: every query of terminals would otherwise read a text that few need.
    """

    terminal = models.OneToOneField(Terminal, models.CASCADE, primary_key=True, related_name="capabilities")
    names = LinesField()
    """One a line, in alphabetical order: equal texts are equal sets."""

    scope_path = ByTerminal("terminal")

    def __str__(self) -> str:
        return f"{self.terminal_id}: {', '.join(sorted(self.supported))}"

    @property
    def supported(self) -> frozenset[str]:
        return frozenset(self.names.splitlines())
