"""The name of a command as people see it."""

from django.utils.functional import Promise

from tms.commands.kinds import CHANGES, change_label
from tms.commands.models import Command
from tms.fleet.sites.names import Bilingual


def shown_name(command: Command) -> str | Bilingual | Promise:
    """The label of a change, or of a command that customers defined, on a row `with_labels`. Those of TMS keep their
    name.
    """
    if command.name in CHANGES:
        return change_label(command.name, command.args)
    label, label_ja = getattr(command, "label", None), getattr(command, "label_ja", None)
    return Bilingual(label, label_ja or "") if label else command.name
