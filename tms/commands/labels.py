"""What a command is called for people."""

from django.utils.functional import Promise

from tms.commands.kinds import CATALOG, CHANGES, change_label
from tms.commands.models import Command
from tms.fleet.sites.names import Bilingual

type CommandLabel = str | Bilingual | Promise


def label_of(command: Command) -> CommandLabel:
    """`command` is a row `with_labels`, which has those of commands that customers defined."""
    if command.name in CHANGES:
        return change_label(command.name, command.args)
    if command.name in CATALOG:
        return CATALOG[command.name].label
    label, label_ja = getattr(command, "label", None), getattr(command, "label_ja", None)
    return Bilingual(label, label_ja or "") if label else command.name
