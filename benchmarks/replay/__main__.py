"""`python -m benchmarks.replay`: replays random moments of a year in a fleet of 50,000 terminals, and prints what they
cost: a board, a terminal and the density of a slider.

It has a durable PostgreSQL of its own, whose memory settings are the defaults, and needs about 10 GB of disk.
"""

import argparse
import os
from datetime import UTC, datetime

import django

from benchmarks.output.report import number, table
from benchmarks.replay.plan import FULL, TINY
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.systems.system import python
from benchmarks.systems.tms import Tms


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    plan = TINY if parser.parse_args().tiny else FULL
    with (
        Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment,
        environment.system(Tms) as system,
    ):
        system.prepare_with(
            python(
                *("-m", "benchmarks.fixture_fleet", str(plan.terminals)),
                *("--sites", str(plan.sites), "--alerts", str(plan.unresolved)),
            )
        )
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        from benchmarks.replay import measure, year
        from tms.accounts.models import User

        at = datetime.now(UTC)
        year.write(plan, at=at, person=User.objects.get().pk)
        found = measure.measure(plan, at=at)
    rows = [(step, name, number(value)) for step, figures in found.items() for name, value in figures.items()]
    print(table(("step", "figure", "value"), rows))


if __name__ == "__main__":
    main()
