"""The fleet stays connected for minutes; meanwhile processes are killed (P9)."""

import time
from dataclasses import dataclass, field

from benchmarks.full.fleet import ConnectedFleet, FleetCounts
from benchmarks.full.plan import FullPlan
from benchmarks.full.point import Gauge, Point
from benchmarks.measuring.figure import Measured
from benchmarks.measuring.quantiles import quantile
from benchmarks.running.progress import say
from benchmarks.systems.several import Several
from deploy.processes import NodeProcess


@dataclass
class Outage:
    """A killed process: how many terminals lost their link, and when they were back."""

    lost: int
    back: int
    median_s: float
    all_s: float
    drops: int
    refusals: dict[str, int] = field(default_factory=dict)

    @property
    def details(self) -> dict[str, float | None]:
        reasons = {f"dials refused: {reason}": float(number) for reason, number in self.refusals.items()}
        return {"lost": self.lost, "back": self.back, "median s": self.median_s, **reasons}


class Hold:
    def __init__(self, plan: FullPlan, system: Several, fleet: ConnectedFleet, gauge: Gauge) -> None:
        self.plan = plan
        self.system = system
        self.fleet = fleet
        self.gauge = gauge
        self.points: list[Point] = []

    def measure(self) -> dict[str, Measured]:
        """A quiet third, then a kill; a quiet third, then a kill with immediate restart; a quiet third."""
        *_, left, returning = self.system.nodes
        self._keep_quiet()
        killed = self._kill(left)
        left.start()
        self._keep_quiet()
        restarted = self._kill(returning, at_once=True)
        self._keep_quiet()
        return self._figures(killed, restarted)

    def _keep_quiet(self) -> None:
        seconds = self.plan.hold_s / 3
        say(f"hold: {seconds:.0f} s with {self.fleet.dialled:,} terminals")
        self.points.append(self.gauge.take(seconds, settle_s=self.plan.settle_s))

    def _kill(self, node: NodeProcess, *, at_once: bool = False) -> Outage:
        say(f"hold: killing {node.name}" + (", which restarts at once" if at_once else ""))
        wanted, killed_at = self.fleet.read().online, time.monotonic()
        node.kill()
        if at_once:
            node.launch()
        time.sleep(self.plan.broken_s)
        seen = self.fleet.read()
        seen += self.fleet.wait_until_whole(wanted, patience_s=self.plan.return_patience_s)
        if at_once:
            node.wait_until_ready()
        outage = _outage(seen, killed_at, broken_s=self.plan.broken_s, is_whole=seen.online >= wanted)
        say(f"hold: {outage.lost:,} lost, {outage.back:,} back, the last after {outage.all_s:.1f} s")
        return outage

    def _figures(self, killed: Outage, restarted: Outage) -> dict[str, Measured]:
        drops = sum(point["drops"] for point in self.points) + killed.drops + restarted.drops
        last = self.points[-1]
        committed = self.system.reports()
        connections = {
            "acknowledged": self.fleet.acknowledged,
            "acknowledged, not committed": max(0, self.fleet.acknowledged - committed),
        }
        return {
            "P9": Measured(min(point["terminals"] for point in self.points), {**_worst(self.points), **connections}),
            "P9 drops": Measured(drops),
            "P9 memory": Measured(last["in all GiB"], {**self._memory(last)}),
            "P9 killed": Measured(killed.all_s, killed.details),
            "P9 restarted": Measured(restarted.all_s, restarted.details),
        }

    def _memory(self, point: Point) -> dict[str, float]:
        names = [*(node.name for node in self.system.nodes), "clock"]
        return {name: value for name, value in point.items() if name.endswith(" GiB")} | self.gauge.resident(names)


def _outage(seen: FleetCounts, killed_at: float, *, broken_s: float, is_whole: bool) -> Outage:
    with_it = [at for at in seen.lost_at if at < killed_at + broken_s]
    took = [at - killed_at for at in seen.back_at]
    return Outage(
        lost=len(with_it),
        back=len(took),
        median_s=quantile(took, 0.5),
        all_s=max(took, default=float("nan")) if is_whole else float("inf"),
        drops=len(seen.lost_at) - len(with_it),
        refusals=dict(seen.refusals),
    )


def _worst(points: list[Point]) -> dict[str, float]:
    """The largest value of each measurement, which is the worst for costs and latencies."""
    return {name: max(point[name] for point in points) for name in points[0] if not name.endswith(" GiB")}
