"""Which scenarios are measured for which systems, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.measuring.figure import Measured
from benchmarks.measuring.run import Run
from benchmarks.peers.systems import PEERS
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import Plan
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.scenarios import alerts, bulk, fanout, idle, pages, pixel, reports, rest, returns, scale, storm
from benchmarks.systems.system import System
from benchmarks.systems.textbook import Textbook
from benchmarks.systems.tms import Tms

type OnStage = Callable[[Stage], dict[str, Measured]]
type Measurement = Callable[[Environment], dict[str, Measured]]

KINDS: Sequence[type[System]] = (Textbook, Tms, *PEERS)
SYSTEMS = {kind.name: kind for kind in KINDS}
OF_ALL: Mapping[str, OnStage] = {
    "idle": idle.measure,
    "saturated": reports.saturated,
    "steady": reports.steady,
    "light": reports.light,
    "returns": returns.measure,
}
"""Measured for every system, with a server started for each scenario."""
OF_BOARDS: Mapping[str, OnStage] = {"rest": rest.measure, "pixel": pixel.measure, "fanout": fanout.measure}
"""The same for every system that has boards."""
OF_TMS: Mapping[str, OnStage] = {"alerts": alerts.measure}
"""Scenarios that the textbook does not have."""
ALONE: Mapping[str, Measurement] = {
    "pages": pages.measure,
    "scale": scale.measure,
    "storm": storm.measure,
    "bulk": bulk.measure,
}
"""The same, with separate servers and a fleet of their own."""
SCENARIOS = [*OF_ALL, *OF_BOARDS, *OF_TMS, *ALONE]


class Bench:
    def __init__(self, plan: Plan, systems: Sequence[str], scenarios: Sequence[str]) -> None:
        self.plan = plan
        self.systems = systems
        self.scenarios = scenarios
        self.missing: dict[str, str] = {}

    def run(self) -> Run:
        began_at = datetime.now(UTC)
        with Environment.set_up(self.plan, machine.assign_cores()) as environment:
            measured = {name: self._system(environment, SYSTEMS[name]) for name in self.systems}
            about = machine.describe(database_url=environment.database.url, redis_url=environment.broker.url)
        for name in filter(measured.get, self.systems):
            about |= SYSTEMS[name].versions()
        took_s = (datetime.now(UTC) - began_at).total_seconds()
        return Run(began_at.isoformat(timespec="seconds"), took_s, about, self.plan, measured, self.missing)

    def _system(self, environment: Environment, kind: type[System]) -> dict[str, Measured]:
        if why := kind.absence():
            self.missing[kind.name] = why
            return {}
        return self._staged(environment, kind) | (self._alone(environment, kind) if issubclass(kind, Tms) else {})

    def _staged(self, environment: Environment, kind: type[System]) -> dict[str, Measured]:
        wanted = {name: measure for name, measure in self._scenarios(kind).items() if name in self.scenarios}
        if not wanted:
            return {}
        measured: dict[str, Measured] = {}
        with environment.system(kind) as system:
            say(f"{kind.name}: making {self._fleet:,} terminals")
            system.prepare(self._fleet)
            for name, measure in wanted.items():
                measured |= self._run_scenario(f"{kind.name}: {name}", _on_stage, environment, system, measure)
        return measured

    def _scenarios(self, kind: type[System]) -> Mapping[str, OnStage]:
        if not kind.has_boards():
            return OF_ALL
        return OF_ALL | OF_BOARDS | (OF_TMS if issubclass(kind, Tms) else {"pixel": pixel.briefly})

    def _alone(self, environment: Environment, kind: type[Tms]) -> dict[str, Measured]:
        measured: dict[str, Measured] = {}
        for name, measure in ALONE.items():
            if name in self.scenarios:
                measured |= self._run_scenario(f"{kind.name}: {name}", measure, environment)
        return measured

    def _run_scenario[**P](
        self, what: str, work: Callable[P, dict[str, Measured]], *args: P.args, **kwargs: P.kwargs
    ) -> dict[str, Measured]:
        """A scenario that fails does not affect the others."""
        say(what)
        try:
            return work(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - reported at the end
            self.missing[what] = str(error) or repr(error)
            say(f"{what} failed: {error!r}")
            return {}

    @property
    def _fleet(self) -> int:
        return max(self.plan.fleet, self.plan.reporting, self.plan.pixel_fleet, self.plan.alerts)


def _on_stage(environment: Environment, system: System, measure: OnStage) -> dict[str, Measured]:
    with environment.staged(system, broadcast=measure is fanout.measure) as stage:
        return measure(stage)
