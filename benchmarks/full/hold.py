"""The fleet stays connected for minutes; meanwhile processes are killed (P9)."""

import math
import time
from dataclasses import dataclass, field

from benchmarks.full.fleet import ConnectedFleet, FleetCounts
from benchmarks.full.plan import FullPlan
from benchmarks.full.point import Gauge, Point
from benchmarks.load.terminals.reconnect import Reconnect, slowest, waited_for
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.quantiles import quantile
from benchmarks.running.progress import say
from benchmarks.scenarios.reports import count_committed
from benchmarks.systems.several import Several
from deploy.processes import NodeProcess

SLOWEST = 0.01
"""Share of the returned terminals whose waits are reported."""


@dataclass(frozen=True)
class Outage:
    """A killed process: the terminals that lost their link, and how they got it back."""

    killed_at: float
    lost: int
    returned: list[Reconnect]
    """The reconnects of these terminals."""
    pending: dict[str, int]
    """Terminals that were not back at the end of the wait, by what they waited for."""
    waited_s: float
    refusals: dict[str, int] = field(default_factory=dict)

    @property
    def measured(self) -> Measured:
        counts = {"terminals back": Count(len(self.returned), self.lost)}
        took = [one.back_at - self.killed_at for one in self.returned]
        is_whole = counts["terminals back"].is_complete
        return Measured(max(took, default=math.nan) if is_whole else self.waited_s, self._details(took), counts)

    def _details(self, took: list[float]) -> dict[str, float | None]:
        last = slowest(self.returned, SLOWEST)
        return {
            "lost": self.lost,
            "median s": quantile(took, 0.5),
            **{f"slowest {SLOWEST:.0%}: {what}": mean for what, mean in waited_for(last).items()},
            **{f"not back: {phase}": number for phase, number in self.pending.items()},
            **{f"dials refused: {reason}": number for reason, number in self.refusals.items()},
        }


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
        self.fleet.read()
        lost_before = self.fleet.lost
        self._keep_quiet()
        killed = self._kill(left)
        left.start()
        self._keep_quiet()
        restarted = self._kill(returning, at_once=True)
        self._keep_quiet()
        drops = self.fleet.lost - lost_before - killed.lost - restarted.lost
        return self._figures(killed, restarted, drops)

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
        waited_s = time.monotonic() - killed_at
        if at_once:
            node.wait_until_ready()
        found = outage(seen, killed_at, broken_s=self.plan.broken_s, waited_s=waited_s)
        say(f"hold: {found.lost:,} lost, {len(found.returned):,} back after {waited_s:.1f} s")
        return found

    def _figures(self, killed: Outage, restarted: Outage, drops: int) -> dict[str, Measured]:
        last, least = self.points[-1], min(point["terminals"] for point in self.points)
        terminals = {"terminals connected": Count(int(least), self.fleet.dialled)}
        acknowledged = self.fleet.acknowledged + self.gauge.acknowledged
        committed = {"acknowledged reports committed": count_committed(acknowledged, self.system.reports())}
        services = Count(len(self.system.pids), len(self.system.nodes) + 1)
        return {
            "P9": Measured(least, {**_worst(self.points)}, terminals | committed),
            "P9 drops": Measured(drops),
            "P9 memory": Measured(last["in all GiB"], {**self._memory(last)}, terminals | {"processes": services}),
            "P9 killed": killed.measured,
            "P9 restarted": restarted.measured,
        }

    def _memory(self, point: Point) -> dict[str, float]:
        names = [*(node.name for node in self.system.nodes), "clock"]
        return {name: value for name, value in point.items() if name.endswith(" GiB")} | self.gauge.resident(names)


def outage(seen: FleetCounts, killed_at: float, *, broken_s: float, waited_s: float) -> Outage:
    """Links that broke within `broken_s` of the kill are its effect."""
    until = killed_at + broken_s
    return Outage(
        killed_at,
        sum(killed_at <= at < until for at in seen.lost_at),
        [one for one in seen.returned if killed_at <= one.lost_at < until],
        dict(seen.pending),
        waited_s,
        dict(seen.refusals),
    )


def _worst(points: list[Point]) -> dict[str, float]:
    """The largest value of each measurement, which is the worst for costs and latencies."""
    return {name: max(point[name] for point in points) for name in points[0] if not name.endswith(" GiB")}
