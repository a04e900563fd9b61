"""`python -m benchmarks`: measures TMS and the textbook consumer in one run, and prints both beside the targets."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, report
from benchmarks.figure import Measured
from benchmarks.meter import pin
from benchmarks.plan import FULL, TINY, Plan
from benchmarks.progress import say
from benchmarks.scenarios import idle, reports
from benchmarks.stage import Stage, staged
from benchmarks.systems.system import System
from benchmarks.systems.textbook import Textbook
from benchmarks.systems.tms import Tms
from tests.services import PostgreSQL, Redis

type Scenario = Callable[[Stage], dict[str, Measured]]

RESULTS = Path(__file__).parent / "results"
SYSTEMS: Mapping[str, type[System]] = {Tms.name: Tms, Textbook.name: Textbook}
SCENARIOS: Mapping[str, Scenario] = {
    "idle": idle.measure,
    "saturated": reports.saturated,
    "steady": reports.steady,
    "watched": reports.watched,
}


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was started is stopped
    run = _run(TINY if options.tiny else FULL, options.systems, options.scenarios)
    if options.keep:
        report.keep(run, options.keep)
    print(report.markdown(run))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a look whether everything works; its figures mean nothing")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the run as JSON")
    return parser.parse_args(arguments)


def _run(plan: Plan, systems: Sequence[str], scenarios: Sequence[str]) -> report.Run:
    began_at, where = datetime.now(UTC), machine.places()
    with PostgreSQL(durable=True) as database, Redis() as broker:
        services = {"PostgreSQL": database.pid, "Redis": broker.pid}
        for pid in services.values():
            pin(pid, where.services)
        measured = {}
        for name in systems:
            with SYSTEMS[name](database_url=database.url, redis_url=broker.url, cores=where.server) as system:
                say(f"{name}: making {plan.fleet:,} terminals")
                system.prepare(plan.fleet)
                measured[name] = _measure(system, scenarios, services, plan, where)
        about = machine.describe(database_url=database.url, redis_url=broker.url)
    took_s = (datetime.now(UTC) - began_at).total_seconds()
    return report.Run(began_at.isoformat(timespec="seconds"), took_s, about, plan, measured)


def _measure(
    system: System, scenarios: Sequence[str], services: Mapping[str, int], plan: Plan, where: machine.Places
) -> dict[str, Measured]:
    measured: dict[str, Measured] = {}
    for name in scenarios:
        say(f"{system.name}: {name}")
        with staged(system, services, plan, where) as stage:
            measured |= SCENARIOS[name](stage)
    return measured


if __name__ == "__main__":
    main()
