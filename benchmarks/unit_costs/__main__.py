"""`python -m benchmarks.unit_costs`: what single steps cost, for the model of large fleets (`benchmarks.scaling`).

Each step runs in this process, against a durable PostgreSQL and a Redis of its own, without sockets and boards.
"""

import argparse
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import django

from benchmarks.measuring.figure import Measured
from benchmarks.measuring.meter import pin
from benchmarks.measuring.run import Run, keep
from benchmarks.output.report import number, table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL
from benchmarks.systems.tms import Tms
from benchmarks.unit_costs.plan import TINY, UnitPlan

SYSTEM = "tms"
STEPS = ("report", "sweep", "census", "feed", "Redis", "scopes", "jobs")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unit_costs", description=__doc__)
    parser.add_argument("--keep", type=Path, help="write the run to this file, as JSON")
    parser.add_argument("--only", choices=STEPS, help="one step")
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args()
    run = measure(TINY if options.tiny else UnitPlan(), [options.only] if options.only else STEPS)
    print(as_table(run))
    if options.keep:
        keep(run, options.keep)


def measure(plan: UnitPlan, chosen: Collection[str] = STEPS) -> Run:
    began_at, cores = datetime.now(UTC), machine.assign_cores()
    with Environment.set_up(FULL, cores) as environment, _ready(environment, plan):
        from benchmarks.unit_costs import census, feed, jobs, rows, scopes

        processes = {"Python": [os.getpid()], "PostgreSQL": [environment.database.pid]}
        steps: Mapping[str, Callable[[], dict[str, float]]] = {
            "report": lambda: rows.write_reports(plan),
            "sweep": lambda: rows.sweep(plan),
            "census": lambda: census.compare(plan),
            "feed": lambda: feed.receive(plan),
            "Redis": lambda: feed.publish(environment.broker, plan),
            "scopes": lambda: scopes.compare(plan, processes),
            "jobs": lambda: jobs.run_jobs(plan),
        }
        found = {name: steps[name]() for name in chosen}
        about = machine.describe(database_url=environment.database.url, redis_url=environment.broker.url)
    figures = {name: Measured(None, dict(details)) for name, details in found.items()}
    took_s = (datetime.now(UTC) - began_at).total_seconds()
    return Run(began_at.isoformat(timespec="seconds"), took_s, about, plan, {SYSTEM: figures})


@contextmanager
def _ready(environment: Environment, plan: UnitPlan) -> Iterator[None]:
    """Django of this process is set up for a fleet of terminals that never connected."""
    with environment.system(Tms) as system:
        system.prepare(plan.terminals)
        pin(os.getpid(), environment.core_assignment.server)
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        yield


def as_table(run: Run) -> str:
    figures = run.systems[SYSTEM].items()
    rows = [(step, name, number(value)) for step, one in figures for name, value in one.details.items()]
    return table(("step", "figure", "value"), rows)


if __name__ == "__main__":
    main()
