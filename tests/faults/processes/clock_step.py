"""The wall clock of a host is stepped, under its running processes."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from deploy.processes.tms_process import TmsProcess
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario

STEPPED_S = 9.0
"""Longer than every process needs to notice, and longer than from the end of a lease to an alert."""


def library() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def needs_libfaketime() -> str:
    return "" if library() else "needs libfaketime (Debian: apt install libfaketime)"


class SteppedClockCluster(FaultCluster):
    """Each process has its own system clock; PostgreSQL's is correct."""

    def __init__(self) -> None:
        super().__init__(2)
        for process in self.processes:
            process.environment |= {
                "LD_PRELOAD": str(library()),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock_file(process)),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # Its workaround for old C libraries ends each timed wait at once: threads that wait for the GIL
                # would take it from each other a thousand times a second.
                "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            }
            self.step(process, "+0")

    @property
    def processes(self) -> Sequence[TmsProcess]:
        return [*self.nodes, *self.clocks]

    def step(self, process: TmsProcess, to: str) -> None:
        self._clock_file(process).write_text(f"{to}\n")

    def _clock_file(self, process: TmsProcess) -> Path:
        return process.folder / "wall-clock"


async def step_a_node(scenario: Scenario[SteppedClockCluster], finding: Finding, *, to: str) -> None:
    await step(scenario, finding, scenario.environment.nodes[:1], to=to)


async def step_the_clock(scenario: Scenario[SteppedClockCluster], finding: Finding, *, to: str) -> None:
    await step(scenario, finding, scenario.environment.clocks, to=to)


async def step_them_all(scenario: Scenario[SteppedClockCluster], finding: Finding, *, to: str) -> None:
    await step(scenario, finding, scenario.environment.processes, to=to)


async def step(
    scenario: Scenario[SteppedClockCluster], finding: Finding, processes: Sequence[TmsProcess], *, to: str
) -> None:
    """Step the clocks, and back after a while."""
    losses = scenario.observer.losses
    async with scenario.during_fault(finding) as window:
        for at in (to, "+0"):
            for process in processes:
                scenario.environment.step(process, at)
            await asyncio.sleep(STEPPED_S)
        window.end()
    moved = finding.figures["became silent"] + finding.figures["became offline"]
    finding.expect("became silent or offline", moved, at_most=0)
    finding.expect("links lost", scenario.observer.losses - losses, at_most=0)
    finding.expect("boards lost", sum(board.losses for board in scenario.boards), at_most=0)


STEPS = (
    ("node", "a node's wall clock", step_a_node),
    ("clock", "the wall clock of `clock`", step_the_clock),
    ("all", "every wall clock but PostgreSQL's", step_them_all),
)
FAULTS = tuple(
    Fault(
        f"clock-{way}-{name}",
        "steps of a wall clock disconnect nobody",
        f"{wall} jumps a day {way}, and back",
        partial(inject, to=to),
        needs_libfaketime,
    )
    for name, wall, inject in STEPS
    for way, to in (("ahead", "+1d"), ("behind", "-1d"))
)
