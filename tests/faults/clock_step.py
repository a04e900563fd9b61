"""The wall clock of a host is stepped, under its running processes: R30."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from deploy.processes.tms_process import TmsProcess
from tests.faults.fault import Fault, Finding
from tests.faults.place import Several
from tests.faults.scene import Scene

AWAY_S = 9.0
"""Longer than every process needs to notice, and longer than from the end of a lease to an alert."""


def library() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def needs_libfaketime() -> str:
    return "" if library() else "needs libfaketime (Debian: apt install libfaketime)"


class Stepped(Several):
    """Each process has its own system clock; PostgreSQL's is correct."""

    def __init__(self) -> None:
        super().__init__(2)
        for process in self.processes:
            process.environment |= {
                "LD_PRELOAD": str(library()),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock_file(process)),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # Its mend of old C libraries ends each timed wait at once: threads that wait for the interpreter's lock
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


async def step_a_node(scene: Scene[Stepped], finding: Finding, *, to: str) -> None:
    await step(scene, finding, scene.place.nodes[:1], to=to)


async def step_the_clock(scene: Scene[Stepped], finding: Finding, *, to: str) -> None:
    await step(scene, finding, scene.place.clocks, to=to)


async def step_them_all(scene: Scene[Stepped], finding: Finding, *, to: str) -> None:
    await step(scene, finding, scene.place.processes, to=to)


async def step(scene: Scene[Stepped], finding: Finding, processes: Sequence[TmsProcess], *, to: str) -> None:
    """Step forth, and back after a while."""
    losses = scene.observer.losses
    async with scene.disturbed(finding) as disturbance:
        for at in (to, "+0"):
            for process in processes:
                scene.place.step(process, at)
            await asyncio.sleep(AWAY_S)
        disturbance.is_over()
    moved = finding.figures["called silent"] + finding.figures["called offline"]
    finding.promise("called silent or offline", moved, at_most=0)
    finding.promise("links lost", scene.observer.losses - losses, at_most=0)
    finding.promise("boards lost", sum(board.losses for board in scene.boards), at_most=0)


STEPS = (
    ("node", "a node's wall clock", step_a_node),
    ("clock", "the wall clock of `clock`", step_the_clock),
    ("all", "every wall clock but PostgreSQL's", step_them_all),
)
FAULTS = tuple(
    Fault(f"clock-{way}-{name}", "R30", f"{wall} goes a day {way}, and back", partial(happen, to=to), needs_libfaketime)
    for name, wall, happen in STEPS
    for way, to in (("ahead", "+1d"), ("behind", "-1d"))
)
