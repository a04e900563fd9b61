"""The models of commands. Django finds them here; other apps import them from here."""

from tms.commands.models.capabilities import TerminalCapabilities
from tms.commands.models.command import (
    AnswerRow,
    Command,
    CommandQuerySet,
    CommandState,
    ProgressRow,
    SentRow,
    Settled,
)
from tms.commands.models.definition import CommandDefinition, Danger
from tms.commands.models.outcome import CommandOutcome

__all__ = [
    "AnswerRow",
    "Command",
    "CommandDefinition",
    "CommandOutcome",
    "CommandQuerySet",
    "CommandState",
    "Danger",
    "ProgressRow",
    "SentRow",
    "Settled",
    "TerminalCapabilities",
]
