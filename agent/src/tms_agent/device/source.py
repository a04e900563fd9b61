"""What an agent reports on: the machine it runs on, or a simulated terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tms_agent.protocol import frames


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What a terminal reports about itself at boot; an empty string is unknown."""

    serial: str = ""
    model: str = ""
    firmware: str = ""
    software: Mapping[str, str] = field(default_factory=dict)
    """Versions of what is installed beside the firmware, by name."""


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """The state of a terminal now, and the events since the last sample."""

    status: frames.Status | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    events: Sequence[frames.TerminalEvent] = ()


@dataclass(frozen=True, slots=True)
class FileToSend:
    """A file that is uploaded before the command is answered."""

    path: Path
    media_type: str = "text/plain"
    may_be_cut: bool = False
    """Send only the end of a file that is too large, as of a log."""
    is_temporary: bool = False
    """Delete it afterwards."""


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """Result of a command, its files, and the goodbye to send if it makes the terminal disconnect."""

    result: Any = None
    goodbye: frames.GoodbyeFrame | None = None
    files: Sequence[FileToSend] = ()


@dataclass(frozen=True, slots=True)
class CommandRun:
    """What the one who runs a command may use meanwhile."""

    progress: Callable[[int | None, str], None] = lambda percent, text: None
    """Says how far the command is: from 0 to 100, if that is known, and what it does."""
    result_file: Path | None = None
    """What is written here is the result also after a restart of the machine."""


class CommandError(Exception):
    """The terminal rejects the command; the message gives the operator the reason and what is expected."""


class UnknownCommand(CommandError):
    def __init__(self, name: str, capabilities: Sequence[str]) -> None:
        super().__init__(f"unknown command {name!r}; supported: {', '.join(capabilities) or 'none'}")


class DeviceSource(Protocol):
    """A terminal as its agent sees it. Methods are called in the event loop and must not block it."""

    @property
    def identity(self) -> DeviceIdentity: ...

    @property
    def capabilities(self) -> Sequence[str]:
        """The names of the supported commands."""

    def uptime_s(self) -> float:
        """Seconds since the device started, not the agent: it distinguishes a software crash from a power cut."""

    def sample(self) -> DeviceSample | None:
        """Called once per interval and at boot; None to send only a heartbeat."""

    async def handle(self, command: frames.CommandFrame, run: CommandRun) -> CommandOutcome:
        """Run a command. Raises CommandError; is cancelled at the deadline."""
