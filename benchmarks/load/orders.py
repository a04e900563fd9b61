"""What a load generator's process can be told to do, and what it answers."""

from dataclasses import dataclass, field

from benchmarks.load.span import Span


@dataclass(frozen=True)
class Dial:
    """Connect and boot these terminals, `at_once` of them in progress, and keep them."""

    uids: tuple[str, ...]
    at_once: int
    source: str
    """The address to call from: each has its own range of ports."""


@dataclass
class Dialled:
    began_at: float = 0.0
    ended_at: float = 0.0
    booted: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """Report at a steady rate in open loop: each report has its instant, whatever became of those before it."""

    span: Span
    per_second: float


@dataclass(frozen=True)
class Saturate:
    """Keep `window` unacknowledged reports of each terminal on the way: as fast as the server can."""

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
class Open:
    """Open boards, and the probe's link."""

    boards: int
    source: str


@dataclass(frozen=True)
class Watch:
    """Let the probe change its status about every `period_s`, and note when each board shows it."""

    span: Span
    period_s: float
    patience_s: float
    """How long to wait at the end for what no board shows yet."""


@dataclass
class Watched:
    changes: int = 0
    ages: list[float] = field(default_factory=list)
    """Seconds from each change to each board; of a change that was never shown, until the end of patience."""
    unseen: int = 0
    frames: int = 0
    bytes: int = 0
    lost_boards: int = 0


@dataclass(frozen=True)
class HangUp:
    """Close everything."""


type Order = Dial | Report | Saturate | Open | Watch | HangUp
