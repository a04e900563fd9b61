"""The environment of every system under test: one machine, one PostgreSQL, one Redis."""

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.load.load_workers import LoadWorkers
from benchmarks.measuring.meter import pin
from benchmarks.running.machine import CoreAssignment
from benchmarks.running.plan import Plan
from benchmarks.running.stage import Stage
from benchmarks.systems.system import System
from deploy.processes import PostgreSQL, Redis

DYNAMIC_GROUPS = "BENCHMARK_DYNAMIC_GROUPS"
"""Their number, in the environment of what fills a system."""


@dataclass(frozen=True)
class Environment:
    plan: Plan
    core_assignment: CoreAssignment
    database: PostgreSQL
    broker: Redis

    @classmethod
    @contextmanager
    def set_up(cls, plan: Plan, core_assignment: CoreAssignment) -> Iterator["Environment"]:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # stops what it started
        with PostgreSQL(durable=True) as database, Redis() as broker:
            for pid in (database.pid, broker.pid):
                pin(pid, core_assignment.services)
            yield cls(plan, core_assignment, database, broker)

    @property
    def services(self) -> Mapping[str, Sequence[int]]:
        return {"PostgreSQL": [self.database.pid], "Redis": [self.broker.pid]}

    def system[Kind: System](self, kind: type[Kind], **settings: str) -> Kind:
        """A system with its own database, neither prepared nor started."""
        return kind(
            database_url=self.database.url,
            redis_url=self.broker.url,
            cores=self.core_assignment.server,
            settings={DYNAMIC_GROUPS: str(self.plan.dynamic_groups)} | settings,
        )

    @contextmanager
    def staged(self, system: System, *, broadcast: bool = False) -> Iterator[Stage]:
        """Its server runs and the load generators are ready."""
        if not system.pids:
            system.start(broadcast=broadcast or not self.plan.starts_each_time)
        try:
            processes, cores = self.plan.processes, self.core_assignment.load
            with LoadWorkers(system.address, processes=processes, cores=cores) as workers:
                yield Stage(system, self.plan, workers, self.services)
        finally:
            if self.plan.starts_each_time:
                system.stop()
