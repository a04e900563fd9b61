"""The models of commands. Django finds them here; other apps import them from here."""

from tms.commands.models.capabilities import TerminalCapabilities
from tms.commands.models.command import AnswerRow, Command, CommandQuerySet, CommandState, SentRow
from tms.commands.models.definition import CommandDefinition, Danger

__all__ = [
    "AnswerRow",
    "Command",
    "CommandDefinition",
    "CommandQuerySet",
    "CommandState",
    "Danger",
    "SentRow",
    "TerminalCapabilities",
]
