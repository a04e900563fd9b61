"""`python -m benchmarks.vitals`: how soon each page is there and can be used, in a real Chromium on a slow machine.

The figures are those of Lighthouse: paints, layout shift, blocked time, requests and bytes of a first load with an
empty cache, with a CPU four times slower and the network of a phone or of a desktop. A plain page is measured in the
same run.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring.figure import Measured
from benchmarks.measuring.quantiles import quantile
from benchmarks.measuring.run import Run, keep
from benchmarks.output.report import number, table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL
from benchmarks.running.progress import say
from benchmarks.systems.address import Address
from benchmarks.systems.system import python
from benchmarks.systems.tms import Unattended
from benchmarks.vitals.loads import Load, LoadingBrowser
from benchmarks.vitals.pages import PATHS, PLAIN, pages_of, serve_plain
from benchmarks.vitals.plan import DEVICES, TINY, VitalsPlan

COLUMNS = ("first paint ms", "LCP ms", "TBT ms", "INP ms", "CLS", "requests", "KB")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vitals", description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the run as JSON")
    parser.add_argument("--devices", nargs="+", choices=DEVICES, default=list(DEVICES))
    parser.add_argument("--pages", nargs="+", choices=PATHS, default=list(PATHS))
    parser.add_argument("--fleet", type=int, help="number of terminals")
    parser.add_argument("--loads", type=int, help="of each page; the figures are their medians")
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args(arguments)
    plan = TINY if options.tiny else VitalsPlan()
    plan = replace(plan, fleet=options.fleet or plan.fleet, loads=options.loads or plan.loads)
    run = measure(plan, options.devices, options.pages)
    print(as_table(run))
    if options.keep:
        keep(run, options.keep)


def measure(plan: VitalsPlan, devices: Sequence[str], pages: Sequence[str]) -> Run:
    began_at = datetime.now(UTC)
    with (
        Environment.set_up(FULL, machine.all_cores()) as environment,
        environment.system(Unattended) as system,
        serve_plain(plan.rows) as plain,
    ):
        say(f"making a fleet of {plan.fleet:,} terminals")
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", str(plan.fleet)))
        system.start()
        urls = pages_of(system.database_url, f"http://{system.address.base()}")
        paths = {PLAIN: plain} | {title: urls[title] for title in pages}
        figures = asyncio.run(_measured(system.address, paths, plan, devices))
        about = machine.describe(database_url=environment.database.url, redis_url=environment.broker.url)
    took_s = (datetime.now(UTC) - began_at).total_seconds()
    return Run(began_at.isoformat(timespec="seconds"), took_s, about, plan, {system.name: figures})


async def _measured(
    address: Address, paths: dict[str, str], plan: VitalsPlan, devices: Sequence[str]
) -> dict[str, Measured]:
    figures = {}
    async with LoadingBrowser.open(address, plan) as browser:
        for device in devices:
            for title, url in paths.items():
                say(f"{device}: {title}")
                loads = [await browser.load(url, DEVICES[device]) for _ in range(plan.loads)]
                figures[f"{device}: {title}"] = _medians(loads)
    return figures


def _medians(loads: Sequence[Load]) -> Measured:
    values = {
        "first paint ms": [load.first_paint_ms for load in loads],
        "LCP ms": [load.lcp_ms for load in loads],
        "TBT ms": [load.tbt_ms for load in loads],
        "INP ms": [load.inp_ms for load in loads],
        "CLS": [load.cls for load in loads],
        "requests": [load.requests for load in loads],
        "KB": [load.kb for load in loads],
    }
    details: dict[str, float | None] = {name: quantile(each, 0.5) for name, each in values.items()}
    return Measured(details["LCP ms"], details)


def as_table(run: Run) -> str:
    (figures,) = run.systems.values()
    head = ("page", *COLUMNS)
    rows = [
        (title, *(f"{one.details[name]:.3f}" if name == "CLS" else number(one.details[name]) for name in COLUMNS))
        for title, one in figures.items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()
