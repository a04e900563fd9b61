"""Commands for a process of the load generator, and their results."""

from array import array
from dataclasses import dataclass, field

from benchmarks.load.client_protocol import BoardPath
from benchmarks.load.span import Span
from benchmarks.load.terminals.reconnect import Reconnect

# Terminals


@dataclass(frozen=True)
class Dial:
    """Connect and boot these terminals, `at_once` of them concurrently, and keep them connected."""

    uids: tuple[str, ...]
    at_once: int
    source: str
    """The source address, because each has its own range of ports."""


@dataclass
class Dialled:
    began_at: float = 0.0
    ended_at: float = 0.0
    booted: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """Report at a steady rate in open loop: each report has a planned time, independent of earlier ones."""

    span: Span
    per_second: float


@dataclass(frozen=True)
class Saturate:
    """Keep `window` unacknowledged reports of each terminal in transit: as fast as the server can."""

    span: Span
    window: int


@dataclass
class Reported:
    """Reports acknowledged within the span, and seconds from intended sending to acknowledgement of those due in it."""

    acknowledged: int = 0
    in_all: int = 0
    """Acknowledged within the span, before and after it."""
    latencies: list[float] = field(default_factory=list)
    unacknowledged: int = 0
    lost_links: int = 0


@dataclass(frozen=True)
class RunLow:
    """Let every terminal report low paper, which opens an alert; returns when all reports are acknowledged."""


@dataclass(frozen=True)
class Refill:
    """Let every terminal report paper, which resolves its alert; returns when all reports are acknowledged."""


@dataclass(frozen=True)
class Alternate:
    """Refill one terminal after the other and let it run low again: every `period_s` an alert changes."""

    span: Span
    period_s: float


@dataclass(frozen=True)
class DropLinks:
    """Break all links at once without a close frame; returns when that is done."""


# Terminals that restore their links themselves


@dataclass(frozen=True)
class KeepConnected:
    """Let the connected terminals report every `period_s` until further notice, and reconnect when a link breaks."""

    period_s: float
    at_once: int
    source: str


@dataclass(frozen=True)
class Churn:
    """Break links of kept terminals at this rate, at random, without a close frame; none at a rate of 0."""

    per_second: float


@dataclass(frozen=True)
class SetPorts:
    """Use these ports of the server's processes until further notice."""

    ports: tuple[int, ...]


@dataclass(frozen=True)
class ReadConnections:
    """Counts of the connected terminals since the last reading."""


@dataclass
class ConnectionCounts:
    online: int = 0
    """Terminals whose boot over the present link was answered."""
    due_at: array = field(default_factory=lambda: array("d"))  # type: ignore[type-arg]
    """The planned time of each acknowledged report."""
    latencies: array = field(default_factory=lambda: array("f"))  # type: ignore[type-arg]
    lost_at: array = field(default_factory=lambda: array("d"))  # type: ignore[type-arg]
    """When each link that broke was lost."""
    returned: list[Reconnect] = field(default_factory=list)
    """The reconnect of each terminal that booted again."""
    pending: dict[str, int] = field(default_factory=dict)
    """Terminals that have not, by what they wait for."""
    waiting: int = 0
    """Reports without an acknowledgement."""
    refusals: dict[str, int] = field(default_factory=dict)
    """Failed connects, by reason."""


# Boards


@dataclass(frozen=True)
class OpenBoards:
    """Open a board for each of these paths, and the probe's link."""

    paths: tuple[BoardPath, ...]
    source: str
    ports: tuple[int, ...] = ()
    """The ports, if not all."""


@dataclass(frozen=True)
class TimeChanges:
    """Let the probe change its status about every `period_s`, and record when each board shows it."""

    span: Span
    period_s: float
    patience_s: float
    """How long to wait at the end for changes that no board shows yet."""


@dataclass
class ChangeTimes:
    made_at: list[float] = field(default_factory=list)
    """When the change of each number was made, including those outside the span."""
    ages: list[float] = field(default_factory=list)
    """Seconds from each change to each board; for a change that was never shown, until the end of the wait."""
    unseen: int = 0
    acknowledged: int = 0
    """Reports of the probe."""
    frames: int = 0
    bytes: int = 0
    lost_boards: int = 0


@dataclass(frozen=True)
class CountFrames:
    """Count the bytes to boards within the span."""

    span: Span


@dataclass
class FrameCounts:
    """The totals of boards by path."""

    boards: dict[str, int] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    lost_boards: int = 0


@dataclass(frozen=True)
class FindPatterns:
    """Record when each board first received something that matches each of these patterns; gives up at `until`."""

    patterns: tuple[bytes, ...]
    until: float


@dataclass
class PatternTimes:
    at: dict[str, list[float]] = field(default_factory=dict)
    """When the last of the patterns was found, by path and board; boards that did not receive them all are missing."""


@dataclass(frozen=True)
class Broadcast:
    """Send messages of `size` bytes to the group of all boards, with a number of them in transit."""

    span: Span
    size: int
    window: int


@dataclass
class BroadcastResult:
    sent: int = 0
    delivered: int = 0
    """Deliveries within the span, the total of all boards."""
    lost_boards: int = 0


# A browser


@dataclass(frozen=True)
class OpenBrowser:
    """Open the page with the probe in a real browser, and record when it paints each of its changes."""


@dataclass(frozen=True)
class ReadPaints:
    """What the browser painted, once it has painted the change with this number; gives up at `until`."""

    newest: int
    until: float


@dataclass
class PaintTimes:
    shown: list[tuple[int, float]] = field(default_factory=list)
    """Numbers of changes, and `time.monotonic()` after the paint that showed each.

    The first may be of an earlier run.
    """


@dataclass(frozen=True)
class CloseAll:
    """Close everything."""


type LoadCommand = (
    Dial
    | Report
    | Saturate
    | RunLow
    | Refill
    | Alternate
    | DropLinks
    | KeepConnected
    | Churn
    | SetPorts
    | ReadConnections
    | OpenBoards
    | TimeChanges
    | CountFrames
    | FindPatterns
    | Broadcast
    | OpenBrowser
    | ReadPaints
    | CloseAll
)
