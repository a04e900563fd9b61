"""The connected fleet, for the measuring process: reports, lost and restored links since the last reading."""

import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load.commands import ConnectionCounts, KeepConnected, ReadConnections
from benchmarks.load.load_workers import run_on_all
from benchmarks.load.terminals.reconnect import Reconnect
from benchmarks.measuring.quantiles import in_ms
from benchmarks.running.stage import Stage

POLL_INTERVAL_S = 0.5


@dataclass
class FleetCounts:
    """What happened between two readings."""

    online: int = 0
    waiting: int = 0
    latencies: array[float] = field(default_factory=lambda: array("f"))
    lost_at: list[float] = field(default_factory=list)
    returned: list[Reconnect] = field(default_factory=list)
    pending: Counter[str] = field(default_factory=Counter)
    """The terminals without a booted link at the second reading, by what they wait for."""
    refusals: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: "FleetCounts") -> "FleetCounts":
        self.online, self.waiting, self.pending = other.online, other.waiting, other.pending
        self.latencies += other.latencies
        self.lost_at += other.lost_at
        self.returned += other.returned
        self.refusals += other.refusals
        return self

    @property
    def acks(self) -> dict[str, float]:
        return in_ms("ack", self.latencies, worst=True)


class ConnectedFleet:
    def __init__(self, stage: Stage, *, report_every_s: float, dials_at_once: int) -> None:
        self.stage = stage
        self.dialled = 0
        self.acknowledged = 0
        self.lost = 0
        """Links, so far."""
        for hand in stage.workers.terminals:
            hand.do(KeepConnected(report_every_s, max(1, dials_at_once // len(stage.workers.terminals)), hand.source))

    def grow_to(self, size: int) -> Sequence[str]:
        """Why connections failed."""
        outcome = self.stage.dial(size - self.dialled, skip=self.dialled)
        self.dialled = size
        return outcome.failures

    def read(self) -> FleetCounts:
        """Counts since the last reading."""
        parts: list[ConnectionCounts] = run_on_all(self.stage.workers.terminals, ReadConnections())
        seen = FleetCounts(sum(part.online for part in parts), sum(part.waiting for part in parts))
        for part in parts:
            seen.latencies += part.latencies
            seen.lost_at += part.lost_at
            seen.returned += part.returned
            seen.pending += Counter(part.pending)
            seen.refusals += Counter(part.refusals)
        self.acknowledged += len(seen.latencies)
        self.lost += len(seen.lost_at)
        return seen

    def wait_until_whole(self, wanted: int, *, patience_s: float) -> FleetCounts:
        """Wait until `wanted` have booted links, or until the timeout."""
        deadline, seen = time.monotonic() + patience_s, self.read()
        while seen.online < wanted and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL_S)
            seen += self.read()
        return seen
