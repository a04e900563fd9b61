"""What every system under test stands on: one machine, one PostgreSQL, one Redis."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.load.load_workers import LoadWorkers
from benchmarks.machine import Places
from benchmarks.meter import pin
from benchmarks.plan import Plan
from benchmarks.stage import Stage
from benchmarks.systems.system import System
from deploy.processes import PostgreSQL, Redis


@dataclass(frozen=True)
class Environment:
    plan: Plan
    places: Places
    database: PostgreSQL
    broker: Redis
    server: str = ""
    """What a TMS stands on, if not on what its kind says."""

    @classmethod
    @contextmanager
    def laid(cls, plan: Plan, places: Places) -> Iterator["Environment"]:
        with PostgreSQL(durable=True) as database, Redis() as broker:
            for pid in (database.pid, broker.pid):
                pin(pid, places.services)
            yield cls(plan, places, database, broker)

    @property
    def services(self) -> Mapping[str, Sequence[int]]:
        return {"PostgreSQL": [self.database.pid], "Redis": [self.broker.pid]}

    def system[Kind: System](self, kind: type[Kind], **settings: str) -> Kind:
        """One with a database of its own, neither prepared nor started."""
        chosen = {"TMS_SERVER": self.server} if self.server else {}
        return kind(
            database_url=self.database.url,
            redis_url=self.broker.url,
            cores=self.places.server,
            settings=chosen | settings,
        )

    @contextmanager
    def staged(self, system: System, *, heralded: bool = False) -> Iterator[Stage]:
        """Its server runs and the load generators are ready."""
        if not system.pids:
            system.start(heralded=heralded or not self.plan.starts_anew)
        try:
            processes, cores = self.plan.processes, self.places.load
            with LoadWorkers(system.address, processes=processes, cores=cores) as workers:
                yield Stage(system, self.plan, workers, self.services)
        finally:
            if self.plan.starts_anew:
                system.stop()
