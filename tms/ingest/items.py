"""Items: what one process collects from its links between two commits. Each has a weight."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from tms.alerts.lifecycle import RuleEvent
from tms.commands.services import Answered, CommandProgress
from tms.fleet.credentials.services import TerminalIdentity
from tms.fleet.models import Cause
from tms.ingest.fairness.weight import weight_of
from tms.protocol import frames


class Link(Protocol):
    """The session of an item."""

    identity: TerminalIdentity
    number: int
    """The session's number, by which the database fences an older one; 0 before the boot."""
    credential_id: int
    boot_id: str
    boot_pk: int

    def on_booted(self, outcome: "BootOutcome | None") -> None:
        """The boot is committed; None if it could not be."""

    def on_committed(self, report: frames.ReportFrame) -> None:
        """The report is durable."""

    def on_rejected(self, report: frames.ReportFrame) -> None:
        """The report can never be committed."""

    def on_answered(self, answer: Answered) -> None:
        """The answer to a command is durable, or can never be."""

    def acknowledge(self) -> None:
        """Send the terminal one acknowledgement for everything that was committed; called once per flush."""

    def on_fenced(self) -> None:
        """A newer session of this terminal began, or the terminal was deleted: items of this link are discarded."""


@dataclass(frozen=True, slots=True)
class BootOutcome:
    """What a link needs after its boot was committed."""

    session: int
    boot_pk: int
    acked_seq: int
    active_rules: Mapping[int, str]
    """Active rules of the terminal, with the severity of the reached threshold."""
    has_commands: bool
    metrics: Collection[str] = ()
    """Names of the terminal's metrics."""


@dataclass(slots=True)
class Booted:
    weight: ClassVar[int] = 1
    link: Link
    at: datetime
    boot: frames.BootFrame
    address: str | None
    outcome: BootOutcome | None = None
    """Set by the commit; None if the terminal was deleted."""


@dataclass(slots=True)
class Reported:
    link: Link
    at: datetime
    report: frames.ReportFrame
    rule_events: Sequence[RuleEvent]
    arrived: float
    """`time.monotonic()`, for the histogram of acknowledgements."""
    weight: int = field(init=False)

    def __post_init__(self) -> None:
        self.weight = weight_of(self.report)


@dataclass(slots=True)
class Alive:
    weight: ClassVar[int] = 1
    link: Link
    at: datetime
    rule_events: Sequence[RuleEvent] = ()


@dataclass(slots=True)
class Parted:
    """A goodbye."""

    weight: ClassVar[int] = 1
    link: Link
    at: datetime
    goodbye: frames.GoodbyeFrame


@dataclass(slots=True)
class Lost:
    """The link ended."""

    weight: ClassVar[int] = 1
    link: Link
    at: datetime
    cause: Cause
    since: datetime | None = None
    """When the last data was received, if that was longer ago: a half-open link ends late."""


@dataclass(slots=True)
class CommandAnswered:
    weight: ClassVar[int] = 1
    link: Link
    at: datetime
    answer: Answered


@dataclass(slots=True)
class Progressed:
    weight: ClassVar[int] = 1
    link: Link
    at: datetime
    progress: CommandProgress


@dataclass(slots=True)
class Noted:
    """An event that TMS itself raises about a terminal."""

    weight: ClassVar[int] = 1
    link: Link
    at: datetime
    event: frames.TerminalEvent
    rule_events: Sequence[RuleEvent]


@dataclass(slots=True)
class TakenOver(Noted):
    """A newer session of the same terminal replaced this one; becomes an event if it happens too often."""


type Item = Booted | Reported | Alive | Parted | Lost | CommandAnswered | Progressed | Noted | TakenOver
