"""A system that runs, its load, and what measures both: for one scenario."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from benchmarks import fleet
from benchmarks.load.crew import Crew
from benchmarks.load.orders import Dial, Dialled, Open, Report, Reported, Saturate, Watch, Watched
from benchmarks.load.span import Span
from benchmarks.machine import Places
from benchmarks.meter import Cost, Meter, cost
from benchmarks.plan import Plan
from benchmarks.systems.system import System


@dataclass(frozen=True)
class Stage:
    system: System
    crew: Crew
    meter: Meter
    plan: Plan

    def dial(self, number: int, *, skip: int = 0) -> Dialled:
        """Connect and boot so many terminals, after the first `skip` of the fleet."""
        uids = [fleet.uid(place) for place in range(skip, skip + number)]
        hands = self.crew.terminals
        for place, hand in enumerate(hands):
            mine = tuple(islice(uids, place, None, len(hands)))
            hand.begin(Dial(mine, max(1, self.plan.dials_at_once // len(hands)), hand.source))
        done: list[Dialled] = [hand.result() for hand in hands]
        return Dialled(
            min(one.began_at for one in done),
            max(one.ended_at for one in done),
            sum(one.booted for one in done),
            [failure for one in done for failure in one.failures],
        )

    def open_boards(self) -> None:
        self.crew.boards.begin(Open(self.plan.boards, self.crew.boards.source))
        self.crew.boards.result()

    def watch(self, watch: Watch) -> Watched:
        self.crew.boards.begin(watch)
        watched: Watched = self.crew.boards.result()
        return watched

    def run(self, order: Report | Saturate, watch: Watch) -> tuple[Reported, Watched, Cost]:
        """Let terminals report and boards watch; the cost is that of the span."""
        for hand in self.crew.terminals:
            hand.begin(order)
        self.crew.boards.begin(watch)
        spent = self.metered(order.span)
        reported: list[Reported] = [hand.result() for hand in self.crew.terminals]
        return _together(reported), self.crew.boards.result(), spent

    def metered(self, span: Span) -> Cost:
        _sleep_until(span.begin_at)
        before = self.meter.read()
        _sleep_until(span.end_at)
        return cost(before, self.meter.read())


@contextmanager
def staged(system: System, services: Mapping[str, int], plan: Plan, places: Places) -> Iterator[Stage]:
    """`services` are the processes of PostgreSQL and Redis, by name."""
    system.start()
    try:
        with Crew(system.address, processes=plan.processes, cores=places.load) as crew:
            watched = {"server": [system.pid], **{name: [pid] for name, pid in services.items()}}
            yield Stage(system, crew, Meter(watched | {"load": [hand.pid for hand in crew.hands]}), plan)
    finally:
        system.stop()


def _together(parts: list[Reported]) -> Reported:
    return Reported(
        sum(part.acknowledged for part in parts),
        sum(part.in_all for part in parts),
        [latency for part in parts for latency in part.latencies],
        sum(part.unacknowledged for part in parts),
        sum(part.lost_links for part in parts),
    )


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))
