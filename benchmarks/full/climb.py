"""A growing fleet: its cost by size, and the size at which a limit is reached."""

import resource
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.full.fleet import ConnectedFleet
from benchmarks.full.plan import FullPlan
from benchmarks.full.point import Gauge, Point
from benchmarks.load.commands import SetPorts
from benchmarks.running.progress import say
from benchmarks.systems.several import Several

DESCRIPTORS = 0.95
"""Roughly the share of its descriptors that a server process uses for sockets."""
FULL_GIB = 4.0


@dataclass
class Climb:
    plan: FullPlan
    system: Several
    fleet: ConnectedFleet
    gauge: Gauge
    curve: list[Point] = field(default_factory=list)

    def up_to_the_fleet(self) -> None:
        for size in self.plan.sizes:
            self._to(size)

    def further(self) -> str:
        """What limited it, if anything."""
        for size in self.plan.further:
            if size > len(self.system.nodes) * _most_sockets():
                self._start_another()
            if why := self._stopped(self._to(size), size):
                return f"stopped at {size:,} terminals: {why}"
        return f"nothing stopped it up to {self.fleet.dialled:,} terminals"

    def _to(self, size: int) -> Sequence[str]:
        say(f"climb: {size:,} terminals")
        failures = self.fleet.grow_to(size)
        self.curve.append(self.gauge.take(self.plan.point_s, settle_s=self.plan.settle_s))
        return failures

    def _stopped(self, failures: Sequence[str], size: int) -> str:
        point = self.curve[-1]
        if len(failures) > size / 100:
            return f"{len(failures):,} terminals could not be booted, as {failures[0]}"
        if point["board p99 ms"] > self.plan.late_ms or point["ack p99 ms"] > self.plan.late_ms:
            slow = {name: point[name] for name in ("ack p99 ms", "board p99 ms", "server %", "load %")}
            return "it became late (" + ", ".join(f"{name} {value:,.0f}" for name, value in slow.items()) + ")"
        if point["in all GiB"] > FULL_GIB:
            return f"it holds {point['in all GiB']:.1f} GiB"
        return ""

    def _start_another(self) -> None:
        node = self.system.add_node()
        say(f"climb: {node.name} starts, because the descriptors of the others are used up")
        for hand in self.gauge.stage.workers.terminals:
            hand.do(SetPorts(tuple(node.port for node in self.system.nodes)))


def _most_sockets() -> float:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return DESCRIPTORS * soft
