"""What a check of the doctor found."""

from enum import Enum
from typing import NamedTuple


class Level(Enum):
    OK = "ok"
    WARNING = "warning"
    """The agent works, but not as it should."""
    FAULT = "FAULT"
    """The agent cannot do its work."""


class Finding(NamedTuple):
    level: Level
    subject: str
    text: str
    """What is so, and for a fault what to do."""


def ok(subject: str, text: str) -> Finding:
    return Finding(Level.OK, subject, text)


def warning(subject: str, text: str) -> Finding:
    return Finding(Level.WARNING, subject, text)


def fault(subject: str, text: str) -> Finding:
    return Finding(Level.FAULT, subject, text)
