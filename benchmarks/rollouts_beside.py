"""`python -m benchmarks.rollouts_beside`: what three running rollouts cost everything else.

TMS has a fleet of 50,000 terminals, each in three rollouts that are watched. Ingest (P2), its CPU (P3), the
acknowledgement of reports (P14), the delay of boards (P5, without a browser) and memory are measured without and with
them, in turns. Each span is a minute, so that it has an evaluation of each rollout.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

import django

from benchmarks.measuring.meter import resident_bytes
from benchmarks.output.report import number, table
from benchmarks.queries import effects
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL, TINY
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.scenarios import reports
from benchmarks.systems.tms import Tms

ROLLOUTS = 3
TERMINALS = 50_000
type Figures = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rollouts_beside", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args(arguments)
    plan = TINY if options.tiny else replace(FULL, measured_s=options.seconds)
    with Environment.set_up(replace(plan, starts_each_time=True), machine.assign_cores()) as environment:
        pairs = list(measure(environment, 200 if options.tiny else TERMINALS, options.rounds))
    print(table(("figure", "without", "with", "with / without", "lowest", "highest"), list(rows(pairs))))
    print(f"\n{len(pairs)} rounds, load of the machine {os.getloadavg()[0]:.1f}")


def measure(environment: Environment, terminals: int, rounds: int) -> Iterator[tuple[Figures, Figures]]:
    """The figures without and with rollouts, of each round."""
    with environment.system(Tms) as system:
        say(f"a fleet of {terminals:,} terminals in {ROLLOUTS} rollouts")
        system.prepare(terminals)
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        make_rollouts()
        for turn in range(rounds):
            say(f"round {turn + 1} of {rounds}")
            # Which of the two comes first alternates: the machine may become slower or faster.
            beside = figures(environment, system) if turn % 2 else None
            with paused(system):
                without = figures(environment, system)
            yield without, beside or figures(environment, system)


def make_rollouts() -> None:
    """Each was evaluated until now."""
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - effects.WATCHED
    rollouts = [effects.fill(begin), *(effects.make_rollout(begin) for _ in range(ROLLOUTS - 1))]
    for rollout in rollouts:
        effects.catch_up(rollout, datetime.now(UTC))


@contextmanager
def paused(system: Tms) -> Iterator[None]:
    """No rollout is running, so that the clock neither advances nor evaluates any."""
    system.execute("UPDATE rollouts_rollout SET state = 'draft'")
    yield
    system.execute("UPDATE rollouts_rollout SET state = 'running'")


def figures(environment: Environment, system: Tms) -> Figures:
    """Measures the rate with a new server, and the rest with another one at a steady load."""
    with environment.staged(system) as stage:
        saturated = reports.saturated(stage)
    with environment.staged(system) as stage:
        return {"P2, reports/s": saturated["P2"].value or 0.0, **_steady(stage)}


def _steady(stage: Stage) -> Figures:
    details = reports.steady(stage)["P3"].details
    names = {
        "P3, CPU of the server, µs": "server µs",
        "CPU of PostgreSQL, µs": "PostgreSQL µs",
        "P14, acknowledgement p50, ms": "ack p50 ms",
        "P14, acknowledgement p99, ms": "ack p99 ms",
        "P5, change to board p50, ms": "board p50 ms",
        "P5, change to board p99, ms": "board p99 ms",
    }
    found = {title: float(details[name] or 0.0) for title, name in names.items()}
    return found | {"memory of the server, MiB": resident_bytes(stage.system.pids) / 2**20}


def rows(pairs: Sequence[tuple[Figures, Figures]]) -> Iterator[tuple[str, ...]]:
    for name in pairs[0][0]:
        without, beside = [one[name] for one, _ in pairs], [one[name] for _, one in pairs]
        ratios = [after / before for before, after in zip(without, beside, strict=True) if before]
        spread = (median(ratios), min(ratios), max(ratios)) if ratios else (0.0, 0.0, 0.0)
        yield name, number(median(without)), number(median(beside)), *(f"{ratio:.3f}" for ratio in spread)


if __name__ == "__main__":
    main()
