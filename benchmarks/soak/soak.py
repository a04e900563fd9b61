"""A fleet with churn, boards and requests for pages, and the memory of each process meanwhile."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import linear_regression

from benchmarks.full.fleet import ConnectedFleet, FleetCounts
from benchmarks.load.commands import Churn
from benchmarks.load.load_workers import run_on_all
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.meter import resident_bytes
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.scenarios.pages import read
from benchmarks.scenarios.reports import count_committed
from benchmarks.soak.plan import SoakPlan
from benchmarks.systems.several import Several
from deploy.processes import HOST

MIB = 2**20
PAGES = ("/", "/terminals/", "/alerts/")
BLOCKS = re.compile(rb"^tms_python_blocks (\S+)$", re.MULTILINE)


@dataclass
class Memory:
    """The memory of one process: MiB by hours."""

    hours: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)
    """Memory blocks of its objects; only of processes with pages."""

    def growth(self) -> float:
        """MiB an hour: the slope of the fitted line."""
        return linear_regression(self.hours, self.mib).slope

    def growth_of_blocks(self) -> float:
        """The growth of its blocks in per cent an hour. If memory grows and this does not, it is fragmented and not
        leaked.
        """
        return 100 * linear_regression(self.hours, self.blocks).slope / _mean(self.blocks)


class Soak:
    def __init__(self, plan: SoakPlan, system: Several, stage: Stage, fleet: ConnectedFleet) -> None:
        self.plan = plan
        self.system = system
        self.stage = stage
        self.fleet = fleet
        self.seen = FleetCounts()
        self._visits = [HTTPConnection(HOST, node.port, timeout=60) for node in system.nodes]

    def measure(self) -> dict[str, Measured]:
        self._churn(self.plan.breaks_per_second)
        say("soak: warming up")
        self._live(self.plan.minutes * self.plan.warm_up)
        say("soak: measuring")
        memory = self._live(self.plan.minutes * (1 - self.plan.warm_up))
        self._churn(0)
        self.seen += self.fleet.wait_until_whole(self.plan.terminals, patience_s=self.plan.return_patience_s)
        return self._figures(memory)

    def _churn(self, per_second: float) -> None:
        terminal_workers = self.stage.workers.terminals
        run_on_all(terminal_workers, Churn(per_second / len(terminal_workers)))

    def _live(self, minutes: float) -> Mapping[str, Memory]:
        names = [*(node.name for node in self.system.nodes), "clock"]
        memory = {name: Memory() for name in names}
        began = time.monotonic()
        while (spent_s := time.monotonic() - began) < minutes * 60:
            self.seen += self.fleet.read()
            for node, connection in zip(self.system.nodes, self._visits, strict=True):
                memory[node.name].blocks.append(self._visit(connection))
            for name, pid in zip(names, self.system.pids, strict=True):
                memory[name].hours.append(spent_s / 3600)
                memory[name].mib.append(resident_bytes([pid]) / MIB)
            time.sleep(self.plan.look_every_s)
        return memory

    def _visit(self, connection: HTTPConnection) -> float:
        """The memory blocks of the process, from a scrape."""
        for path in PAGES:
            read(connection, path, self.system.cookie)
        found = BLOCKS.search(read(connection, "/metrics", self.system.cookie))
        assert found is not None
        return float(found[1])

    def _figures(self, memory: Mapping[str, Memory]) -> dict[str, Measured]:
        details: dict[str, float | None] = {}
        for name, one in memory.items():
            details |= {
                f"{name} MiB": _mean(one.mib[:10]),
                f"{name} MiB at the end": _mean(one.mib[-10:]),
                f"{name} MiB an hour": one.growth(),
            }
            if one.blocks:
                details[f"{name} blocks, % an hour"] = one.growth_of_blocks()
        details |= self.seen.acks
        counts = {
            "terminals back": Count(len(self.seen.returned), len(self.seen.lost_at)),
            "terminals connected at the end": Count(self.seen.online, self.plan.terminals),
            "acknowledged reports committed": count_committed(self.fleet.acknowledged, self.system.reports()),
        }
        return {"growth": Measured(max(one.growth() for one in memory.values()), details, counts)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
