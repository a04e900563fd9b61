"""A running system, its load, and its measurement: for one scenario."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from typing import Any

from benchmarks.load.client_protocol import BoardPath
from benchmarks.load.commands import (
    ChangeTimes,
    Dial,
    Dialled,
    LoadCommand,
    OpenBoards,
    Report,
    Reported,
    Saturate,
    TimeChanges,
)
from benchmarks.load.load_workers import LoadWorkers, run_on_all
from benchmarks.load.span import Span
from benchmarks.measuring.meter import Cost, Meter, Reading, cost
from benchmarks.running import fleet
from benchmarks.running.plan import Plan
from benchmarks.systems.system import System


class Stage:
    def __init__(self, system: System, plan: Plan, workers: LoadWorkers, services: Mapping[str, Sequence[int]]) -> None:
        """`services` are the processes of PostgreSQL and Redis, by name."""
        self.system = system
        self.plan = plan
        self.workers = workers
        self._services = services
        self.on_span: Callable[[Span], None] = lambda _span: None
        """Called when a metered span begins."""

    @property
    def processes(self) -> Mapping[str, Sequence[int]]:
        """The processes of the system, by name."""
        return {"server": self.system.pids, **self._services}

    @property
    def meter(self) -> Meter:
        load = {"load": [hand.pid for hand in (*self.workers.terminals, self.workers.boards)]}
        browser = {"browser": [self.workers.browser.pid]} if self.workers.browser else {}
        return Meter({**self.processes, **load, **browser})

    def dial(self, number: int, *, skip: int = 0, at_once: int = 0) -> Dialled:
        """Connect and boot so many terminals, after the first `skip` of the fleet; `at_once` of them concurrently."""
        at_once = at_once or self.plan.dials_at_once
        uids = [fleet.uid(index) for index in range(skip, skip + number)]
        terminal_workers = self.workers.terminals
        for index, hand in enumerate(terminal_workers):
            mine = tuple(islice(uids, index, None, len(terminal_workers)))
            hand.begin(Dial(mine, max(1, at_once // len(terminal_workers)), hand.source))
        done: list[Dialled] = [hand.result() for hand in terminal_workers]
        return Dialled(
            min(one.began_at for one in done),
            max(one.ended_at for one in done),
            sum(one.booted for one in done),
            [failure for one in done for failure in one.failures],
        )

    def open(self, paths: Sequence[BoardPath], number: int, *, ports: tuple[int, ...] = ()) -> None:
        """Open so many boards, at these paths in turn; only on the server processes at `ports`, if any are named."""
        self.boards(OpenBoards(tuple(islice(cycle(paths), number)), self.workers.boards.source, ports))

    def terminals(self, order: LoadCommand) -> list[Any]:
        return run_on_all(self.workers.terminals, order)

    def boards(self, order: LoadCommand) -> Any:
        return self.workers.boards.do(order)

    def run(self, order: Report | Saturate, watch: TimeChanges) -> tuple[Reported, ChangeTimes, Cost]:
        """Let terminals report and boards receive; the cost is that of the span."""
        for hand in self.workers.terminals:
            hand.begin(order)
        self.workers.boards.begin(watch)
        spent = self.metered(order.span)
        reported: list[Reported] = [hand.result() for hand in self.workers.terminals]
        return summed(reported), self.workers.boards.result(), spent

    def metered(self, span: Span) -> Cost:
        meter = self.meter
        _sleep_until(span.begin_at)
        self.on_span(span)
        before = meter.read()
        _sleep_until(span.end_at)
        return cost(before, meter.read())

    def spent_since(self, before: Reading) -> Cost:
        return cost(before, self.meter.read())


def summed(parts: Sequence[Reported]) -> Reported:
    return Reported(
        sum(part.acknowledged for part in parts),
        sum(part.in_all for part in parts),
        [latency for part in parts for latency in part.latencies],
        sum(part.unacknowledged for part in parts),
        sum(part.lost_links for part in parts),
    )


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))
