"""`python -m benchmarks.paint`: from a frame to its paint, in a real Chromium that shows long lists.

Every change reaches the board as in operation: a terminal reports over its link, and the server pushes a frame.
"""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring.figure import Measured
from benchmarks.measuring.quantiles import quantile
from benchmarks.measuring.run import Run, keep
from benchmarks.output.report import number, table
from benchmarks.paint.cases import BASELINES, CASES, record_board, record_plain
from benchmarks.paint.changes import THRESHOLDS, ConnectedFleet
from benchmarks.paint.plan import TINY, PaintPlan
from benchmarks.paint.recording import Recorder
from benchmarks.paint.trace import PaintedChange
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL
from benchmarks.running.progress import say
from benchmarks.systems.serve_long_pages import ROWS
from benchmarks.systems.system import System, python
from benchmarks.systems.tms import Tms

COLUMNS = ("script ms", "style ms", "layout ms", "paint ms", "CPU ms", "CPU p99 ms", "elapsed ms", "elapsed p99 ms")
OBJECTS = ("elements styled", "objects laid out", "objects")


class LongPages(Tms):
    """Its terminals stay connected without heartbeats, and a page of a list has all of them."""

    @property
    def serve(self) -> Sequence[str]:
        return python("-m", "benchmarks.systems.serve_long_pages", "--clock", "--port", str(self.port))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paint", description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the run as JSON")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args(arguments)
    run = measure(TINY if options.tiny else PaintPlan(), options.cases)
    print(as_table(run))
    if options.keep:
        keep(run, options.keep)


def measure(plan: PaintPlan, cases: Sequence[str]) -> Run:
    began_at = datetime.now(UTC)
    with (
        Environment.set_up(FULL, machine.all_cores()) as environment,
        environment.system(LongPages, TMS_HEARTBEAT_S="600", **{ROWS: str(plan.rows)}) as system,
    ):
        system.prepare(plan.rows)
        system.execute(THRESHOLDS)
        system.start()
        figures = asyncio.run(_recorded(system, plan, cases))
        about = machine.describe(database_url=environment.database.url, redis_url=environment.broker.url)
    took_s = (datetime.now(UTC) - began_at).total_seconds()
    return Run(began_at.isoformat(timespec="seconds"), took_s, about, plan, {system.name: figures})


async def _recorded(system: System, plan: PaintPlan, cases: Sequence[str]) -> dict[str, Measured]:
    changes = {}
    async with Recorder.open(system.address) as recorder:
        for title, function in BASELINES.items():
            say(title)
            changes[title] = await record_plain(function, recorder, plan)
        fleet = await ConnectedFleet.connect(system.address, plan.rows)
        await fleet.run_low(within_s=plan.patience_s)
        for title in cases:
            say(title)
            changes[title] = await record_board(CASES[title], recorder, fleet, plan)
        fleet.close()
    return {title: _measured(of_case) for title, of_case in changes.items()}


def _measured(changes: Sequence[PaintedChange]) -> Measured:
    cpu, elapsed = [one.cpu_ms for one in changes], [one.elapsed_ms for one in changes]
    medians: dict[str, list[float]] = {
        "script ms": [one.script_ms for one in changes],
        "style ms": [one.style_ms for one in changes],
        "layout ms": [one.layout_ms for one in changes],
        "paint ms": [one.paint_ms for one in changes],
        "CPU ms": cpu,
        "elapsed ms": elapsed,
        "elements styled": [one.styled for one in changes],
        "objects laid out": [one.dirty for one in changes],
        "objects": [one.objects for one in changes],
    }
    details: dict[str, float | None] = {name: quantile(values, 0.5) for name, values in medians.items()}
    details |= {"CPU p99 ms": quantile(cpu, 0.99), "elapsed p99 ms": quantile(elapsed, 0.99)}
    return Measured(quantile(cpu, 0.5), details | {"painted": len(changes)})


def as_table(run: Run) -> str:
    (figures,) = run.systems.values()
    row = figures[next(iter(BASELINES))].value
    head = ("change", "painted", *OBJECTS, *COLUMNS, "× one plain row")
    rows = [
        (
            title,
            *(number(one.details[name]) for name in ("painted", *OBJECTS, *COLUMNS)),
            number(one.value / row if one.value and row else None),
        )
        for title, one in figures.items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()
