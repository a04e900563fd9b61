"""`python -m benchmarks.journeys`: journeys of people through a demo, walked in a real Chromium.

Prints the clicks, keys and seconds of each step, and stores a picture of each. The seconds include what a person waits
for, such as the time until TMS notices that a site was lost; *by hand* adds what a person takes for clicks and keys.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import async_playwright

from benchmarks.journeys import change, first_hour, first_minutes, handover, many, new_employee, report, site_lost
from benchmarks.journeys.demo import Demo, demo
from benchmarks.journeys.installation import Installation, installation
from benchmarks.journeys.walker import SCREEN, Act, Step, StepResult, Walker
from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from benchmarks.output.report import table
from benchmarks.running.progress import say

PICTURES = Path("artefacts/journeys")


class Journey(NamedTuple):
    title: str
    steps: Sequence[Step | Act]
    screen: Mapping[str, Any] = SCREEN
    is_on_demo: bool = True
    """Otherwise on an empty installation of its own."""


JOURNEYS: Mapping[str, Journey] = {
    "first-minutes": Journey("The first five minutes", first_minutes.STEPS),
    "site-lost": Journey("A site lost at 02:00", site_lost.STEPS),
    "handover": Journey("Shift handover", handover.STEPS),
    "first-hour": Journey(
        "The first hour of an administrator", first_hour.STEPS, first_hour.SCREEN_OF_ADMINISTRATOR, is_on_demo=False
    ),
    "many": Journey("Many terminals at once", many.STEPS),
    "report": Journey("Monthly report for a customer", report.STEPS),
    "change": Journey("Software and configuration for many terminals", change.STEPS),
    "new-employee": Journey("New employee to first acknowledged alert", new_employee.STEPS),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journeys", description=__doc__)
    parser.add_argument("--url", help="of a running demo; without it, `make run` starts one in a folder of its own")
    parser.add_argument("--journeys", nargs="+", choices=JOURNEYS, default=list(JOURNEYS))
    parser.add_argument("--locale", default=SCREEN["locale"], help="of the browser: ja-JP walks them in Japanese")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help=f"folder, {PICTURES} by default")
    options = parser.parse_args(arguments)
    options.pictures.mkdir(parents=True, exist_ok=True)
    walkers: list[Walker] = []
    if on_demo := [name for name in options.journeys if JOURNEYS[name].is_on_demo]:
        with demo(options.url) as running:
            walkers += asyncio.run(_walk(running, on_demo, options))
    for name in options.journeys:
        if not JOURNEYS[name].is_on_demo:
            with installation() as own:
                walkers += asyncio.run(_walk(Demo(own.url, own.folder), [name], options, own))
    for walker in walkers:
        print(f"\n{JOURNEYS[walker.journey].title}\n\n{as_table(walker.results)}")
        if walker.stopped:
            print(f"\nStopped: {walker.stopped}")
    sys.exit(any(walker.stopped for walker in walkers))


async def _walk(
    running: Demo, names: Sequence[str], options: argparse.Namespace, own: Installation | None = None
) -> list[Walker]:
    walkers = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name in names:
            say(JOURNEYS[name].title)
            screen = {**JOURNEYS[name].screen, "locale": options.locale}
            walkers.append(walker := Walker(browser, running, name, options.pictures, screen, own))
            await walker.walk(JOURNEYS[name].steps)
        await browser.close()
    return walkers


def as_table(results: Sequence[StepResult]) -> str:
    rows = [_row(one.title, [one]) for one in results]
    return table(("step", "clicks", "fields", "keys", "s", "by hand, s"), [*rows, _row("**all**", results)])


def _row(title: str, results: Sequence[StepResult]) -> Sequence[str]:
    clicks, keys = sum(one.clicks for one in results), sum(one.keys for one in results)
    fields = sum(one.fields for one in results)
    seconds, by_hand_s = sum(one.seconds for one in results), sum(one.by_hand_s for one in results)
    return (title, str(clicks), str(fields), str(keys), f"{seconds:.1f}", f"{by_hand_s:.0f}")


if __name__ == "__main__":
    main()
