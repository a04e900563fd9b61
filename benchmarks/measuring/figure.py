"""The figures of the performance targets, and one measurement of them."""

from dataclasses import dataclass, field
from enum import StrEnum


class Better(StrEnum):
    LESS = "less"
    MORE = "more"


@dataclass(frozen=True)
class Figure:
    number: str
    title: str
    unit: str
    better: Better
    target: float
    """The target on daphne; see docs/performance.md."""
    times: float = 0.0
    """How many times better than the textbook it must be in the same run; 0 without a target."""
    peer: str = ""
    """The system that it must not be worse than in the same run."""

    def is_reached(self, value: float, ratio: float | None, peer_ratio: float | None = None) -> bool:
        """Whether the value alone reaches its target; see `Measured.missing`."""
        is_good = value <= self.target if self.better is Better.LESS else value >= self.target
        return is_good and (ratio is None or ratio >= self.times) and (peer_ratio is None or peer_ratio >= 1)

    def ratio(self, *, ours: float, theirs: float) -> float | None:
        """How many times better ours is."""
        worse, better = (theirs, ours) if self.better is Better.MORE else (ours, theirs)
        return better / worse if worse else None


FIGURES = {
    figure.number: figure
    for figure in (
        Figure("P1", "memory per idle, booted terminal", "KiB", Better.LESS, 16),
        Figure("P2", "reports committed and acknowledged, saturated, 20 boards", "per s", Better.MORE, 20_000, 30),
        Figure("P2 boards", "maximum delay of boards meanwhile", "s", Better.LESS, 1),
        Figure("P3", "CPU of the server per report at 1,000 per s, 20 boards", "µs", Better.LESS, 120, 10),
        Figure("P3 light", "the same at 200 per s", "µs", Better.LESS, 350),
        Figure("P3 rest", "CPU of the server with 2,000 idle terminals and 20 boards", "% of a core", Better.LESS, 1),
        Figure("P4", "boots", "per s", Better.MORE, 2_000),
        Figure("P4 watched", "boots of a known fleet, 20 boards", "per s", Better.MORE, 0, peer="ocpp-node"),
        Figure("P4 watched CPU", "CPU of the server for such a boot", "µs", Better.LESS, 300),
        Figure("P5", "status change to pixel, 100 boards, median", "ms", Better.LESS, 60),
        Figure("P5 p99", "the same, p99", "ms", Better.LESS, 200),
        Figure("P6", "frames of 600 bytes delivered to 100 boards", "per s", Better.MORE, 40_000),
        Figure("P7", "slowest board page at 50,000 terminals, median", "ms", Better.LESS, 100),
        Figure("P7 growth", "largest growth of a page from 1,000 to 50,000 terminals", "×", Better.LESS, 1.5),
        Figure("P8", "largest growth of CPU per terminal from 1,000 to 20,000", "%", Better.LESS, 15),
        Figure("P9", "terminals connected, one report per 30 s each", "", Better.MORE, 50_000),
        Figure("P9 drops", "links lost unexpectedly", "", Better.LESS, 0),
        Figure("P9 memory", "servers, PostgreSQL, Redis and kernel sockets", "GiB", Better.LESS, 4),
        Figure("P9 killed", "all reconnected after a process was killed", "s", Better.LESS, 30),
        Figure("P9 restarted", "all reconnected after a restart into the storm", "s", Better.LESS, 30),
        Figure("P10", "scrape of /metrics at 50,000 terminals, median", "ms", Better.LESS, 100),
        Figure("P11", "5,000 terminals lost: one incident per site on the board", "s", Better.LESS, 3),
        Figure("P12 quiet", "bytes to a board with 500 alerts, idle", "KB a minute", Better.LESS, 5),
        Figure("P12 busy", "the same at 1 change per s", "KB a minute", Better.LESS, 60),
        Figure("P12 CPU", "CPU of 20 such boards at 1 change per s", "s a minute", Better.LESS, 1),
        Figure("P13", "bulk acknowledgement of 500, seen on a second board", "ms", Better.LESS, 500),
        Figure("P14", "acknowledgement of a report at 1,000 per s, median", "ms", Better.LESS, 10),
        Figure("P14 p99", "the same, p99", "ms", Better.LESS, 40),
        Figure("P14 light", "acknowledgement of a report at 200 per s, median", "ms", Better.LESS, 10),
        Figure("P14 light p99", "the same, p99", "ms", Better.LESS, 40),
        Figure("growth", "growth of a server process, 5,000 terminals with churn", "MiB an hour", Better.LESS, 1),
    )
}


@dataclass(frozen=True)
class Count:
    """How many of the expected were counted."""

    seen: int
    expected: int

    @property
    def is_complete(self) -> bool:
        return self.seen >= self.expected

    def __add__(self, other: "Count") -> "Count":
        return Count(self.seen + other.seen, self.expected + other.expected)

    def __str__(self) -> str:
        return f"{self.seen:,} of {self.expected:,}"


@dataclass(frozen=True)
class Measured:
    """One figure of one system, with details. None is what could not be measured."""

    value: float | None
    details: dict[str, float | None] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    """What the figure covers ("terminals back"). Unless all are counted, it is not reached, and `value` is a bound: the
    true one is no better.
    """

    @property
    def missing(self) -> dict[str, Count]:
        return {what: count for what, count in self.counts.items() if not count.is_complete}
