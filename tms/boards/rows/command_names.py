"""The name of a command as people see it."""

from tms.commands.models import Command
from tms.fleet.sites.names import Bilingual


def shown_name(command: Command) -> str | Bilingual:
    """The label of a command that customers defined, on a row `with_labels`. Those of TMS keep their name."""
    label, label_ja = getattr(command, "label", None), getattr(command, "label_ja", None)
    return Bilingual(label, label_ja or "") if label else command.name
