"""A fleet that is known comes back (P4 watched): after an outage, and after a restart of the server."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.load.commands import CountFrames, DropLinks, FrameCounts
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.meter import Cost
from benchmarks.running.stage import Stage
from benchmarks.scenarios.reports import count_connected

AT_ONCE = 64
"""Boots in progress: an agent spreads its attempts, so fewer dial at once than a node admits (P4)."""
LOOK_S = 0.1


@dataclass(frozen=True)
class Wave:
    """The return of the fleet."""

    booted: int
    seconds: float
    spent: Cost

    @property
    def per_second(self) -> float:
        return self.booted / self.seconds

    @property
    def server_us(self) -> float:
        return self.spent.cpu_s["server"] / self.booted * 1e6


def measure(stage: Stage) -> dict[str, Measured]:
    """The slower of both returns counts, while boards are open if the system has any."""
    plan, has_boards = stage.plan, stage.system.has_boards()
    stage.dial(plan.reporting)  # from now on it is known
    alone = _return_twice(stage, boards=0)
    watched = _return_twice(stage, boards=plan.boards) if has_boards else alone
    waves = alone | {f"{when}, boards": wave for when, wave in watched.items() if has_boards}
    counts = {"terminals back": Count(sum(wave.booted for wave in waves.values()), len(waves) * plan.reporting)}
    if has_boards:
        seen: FrameCounts = stage.boards(CountFrames(Span.after(0, seconds=LOOK_S)))
        counts |= count_connected(seen.lost_boards, plan.boards)
    return {
        "P4 watched": Measured(min(wave.per_second for wave in watched.values()), _details(waves), counts),
        "P4 watched CPU": Measured(max(wave.server_us for wave in watched.values()), counts=counts),
    }


def _return_twice(stage: Stage, *, boards: int) -> dict[str, Wave]:
    _watch(stage, boards)
    stage.terminals(DropLinks())
    outage = _return(stage)
    stage.system.restart()
    _watch(stage, boards)
    return {"outage": outage, "restart": _return(stage)}


def _watch(stage: Stage, boards: int) -> None:
    if boards:
        stage.open(stage.system.protocol.watched_paths, boards)


def _return(stage: Stage) -> Wave:
    """All have been missed by then, and boards are painted."""
    time.sleep(stage.plan.settle_s)
    before = stage.meter.read()
    dialled = stage.dial(stage.plan.reporting, at_once=AT_ONCE)
    return Wave(dialled.booted, dialled.ended_at - dialled.began_at, stage.spent_since(before))


def _details(waves: Mapping[str, Wave]) -> dict[str, float]:
    details: dict[str, float] = {}
    for when, wave in waves.items():
        details |= {f"{when}: boots/s": wave.per_second, f"{when}: server µs": wave.server_us}
    return details | {"others %": max(wave.spent.busy()["others %"] for wave in waves.values())}
