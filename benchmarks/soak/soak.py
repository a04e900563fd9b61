"""A fleet with churn, boards and people's pages, and the memory of each process meanwhile."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import linear_regression

from benchmarks.figure import Measured
from benchmarks.full.fleet import Fleet, Seen
from benchmarks.load.crew import together
from benchmarks.load.orders import Churn
from benchmarks.meter import resident_bytes
from benchmarks.progress import say
from benchmarks.scenarios.pages import get
from benchmarks.soak.plan import SoakPlan
from benchmarks.stage import Stage
from benchmarks.systems.several import Several
from deploy.cluster import HOST

MIB = 2**20
PAGES = ("/", "/terminals/", "/alerts/", "/metrics")
SAY_EVERY_S = 300


@dataclass
class Memory:
    """Of one process: MiB at so many hours."""

    hours: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)

    def growth(self) -> float:
        """MiB an hour: the slope of the line through all that was read."""
        return linear_regression(self.hours, self.mib).slope


class Soak:
    def __init__(self, plan: SoakPlan, system: Several, stage: Stage, fleet: Fleet) -> None:
        self.plan = plan
        self.system = system
        self.stage = stage
        self.fleet = fleet
        self.seen = Seen()
        self._visits = [HTTPConnection(HOST, node.port, timeout=60) for node in system.nodes]

    def measure(self) -> dict[str, Measured]:
        hands = self.stage.crew.terminals
        together(hands, Churn(self.plan.breaks_per_second / len(hands)))
        say("soak: warming up")
        self._live(self.plan.minutes * self.plan.warm_up)
        say("soak: measuring")
        return self._figures(self._live(self.plan.minutes * (1 - self.plan.warm_up)))

    def _live(self, minutes: float) -> Mapping[str, Memory]:
        names = [*(node.name for node in self.system.nodes), "clock"]
        memory = {name: Memory() for name in names}
        began = time.monotonic()
        while (spent_s := time.monotonic() - began) < minutes * 60:
            self.seen += self.fleet.look()
            self._visit()
            for name, pid in zip(names, self.system.pids, strict=True):
                memory[name].hours.append(spent_s / 3600)
                memory[name].mib.append(resident_bytes([pid]) / MIB)
            time.sleep(self.plan.look_every_s)
        return memory

    def _visit(self) -> None:
        for connection in self._visits:
            for path in PAGES:
                get(connection, path, self.system.cookie)

    def _figures(self, memory: Mapping[str, Memory]) -> dict[str, Measured]:
        details: dict[str, float | None] = {}
        for name, one in memory.items():
            details |= {
                f"{name} MiB": _mean(one.mib[:10]),
                f"{name} MiB at the end": _mean(one.mib[-10:]),
                f"{name} MiB an hour": one.growth(),
            }
        committed = self.system.reports()
        details |= {
            "links broken": len(self.seen.lost_at),
            "terminals back": len(self.seen.back_at),
            "acknowledged": self.fleet.acknowledged,
            "acknowledged, not committed": max(0, self.fleet.acknowledged - committed),
            **self.seen.acks,
        }
        return {"R35": Measured(max(one.growth() for one in memory.values()), details)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
