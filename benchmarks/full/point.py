"""One measurement of a fleet in operation: its cost, and latencies for people and terminals."""

from collections.abc import Mapping, Sequence

from benchmarks.full.fleet import ConnectedFleet
from benchmarks.full.memory import memory_gib
from benchmarks.load.commands import ChangeTimes, TimeChanges
from benchmarks.load.span import Span
from benchmarks.measuring.meter import resident_bytes
from benchmarks.measuring.quantiles import in_ms
from benchmarks.running.stage import Stage

MIB = 2**20

type Point = dict[str, float]


class Gauge:
    """Takes points of one stage."""

    def __init__(self, stage: Stage, fleet: ConnectedFleet, *, change_every_s: float, patience_s: float) -> None:
        self.stage = stage
        self.fleet = fleet
        self.change_every_s = change_every_s
        self.patience_s = patience_s
        self.kernel_before = 0
        self.acknowledged = 0
        """Reports of the probe."""

    def take(self, seconds: float, *, settle_s: float) -> Point:
        self.fleet.read()
        span = Span.after(settle_s, seconds=seconds)
        self.stage.workers.boards.begin(TimeChanges(span, self.change_every_s, self.patience_s))
        spent = self.stage.metered(span)
        seen = self.fleet.read()
        watched: ChangeTimes = self.stage.workers.boards.result()
        busy = spent.busy()
        online = max(1, seen.online)
        self.acknowledged += watched.acknowledged
        return {
            "terminals": seen.online,
            "reports/s": len(seen.latencies) / (settle_s + seconds),
            **busy,
            "server µs per terminal and s": spent.cpu_s["server"] / seconds / online * 1e6,
            **seen.acks,
            **in_ms("board", watched.ages, worst=True),
            "never shown": watched.unseen,
            "drops": len(seen.lost_at),
            **{f"{name} GiB": gib for name, gib in self.memory().items()},
        }

    def memory(self) -> Mapping[str, float]:
        return memory_gib(self.stage.processes, kernel_before=self.kernel_before)

    def resident(self, names: Sequence[str]) -> dict[str, float]:
        """MiB of each process of the server."""
        return {
            f"{name} MiB": resident_bytes([pid]) / MIB for name, pid in zip(names, self.stage.system.pids, strict=False)
        }
