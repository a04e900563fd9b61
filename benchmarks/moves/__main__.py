"""`python -m benchmarks.moves`: how much the overview and the alerts move under the eyes of a person who only looks.

A large fleet is seeded; a few terminals are connected, and one after the other opens and resolves its alert.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from benchmarks.output.report import number, table
from benchmarks.paint.changes import THRESHOLDS, WARNING, ConnectedFleet
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL
from benchmarks.running.progress import say
from benchmarks.systems.address import Address
from benchmarks.systems.tms import Tms

FINE = 80
"""Paper in per cent at which there is no alert."""
PAGES = {"overview": "/", "alerts": "/alerts/"}
DEADLINE_MS = 60_000
SETTLE_S = 3.0
OBSERVER = """
window.seen = { moves: 0, rows: 0, shift: 0, late: 0, frames: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
addEventListener("DOMContentLoaded", () => {
  const lists = "#alerts, #incidents, #changes";
  new MutationObserver((records) => {
    const moved = records.filter(({ target, type }) => type === "childList" && target.matches?.(lists));
    seen.moves += moved.length > 0;
    seen.rows += moved.reduce((sum, { addedNodes, removedNodes }) => sum + addedNodes.length + removedNodes.length, 0);
  }).observe(document.body, { subtree: true, childList: true });
  let before = performance.now();
  const frame = (now) => {
    seen.frames += 1;
    seen.late += Math.max(0, Math.round((now - before) / (1000 / 60)) - 1);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
});
"""
"""Moves are animation frames in which rows of a list were added, removed or moved. A late frame is one that the browser
could not show in time.
"""


@dataclass(frozen=True)
class MovesPlan:
    fleet: int = 5000
    churning: int = 20
    every_s: float = 1.0
    minutes: float = 10.0


@dataclass(frozen=True)
class Watched:
    """One page for the whole time."""

    moves_per_minute: float
    rows_per_move: float
    shift: float
    """Cumulative layout shift."""
    pushed: int
    """Frames of the socket."""
    main_thread_ms: float
    """The time of the main thread for each frame."""
    late: int
    painted: int


class WatchedPage:
    def __init__(self, page: Page, cdp: Any) -> None:
        self._page, self._cdp = page, cdp
        self.pushed = 0

    @classmethod
    async def open(cls, context: BrowserContext, url: str) -> "WatchedPage":
        page = await context.new_page()
        watched = cls(page, await context.new_cdp_session(page))
        page.on("websocket", lambda socket: socket.on("framereceived", lambda _: watched._count()))
        await page.add_init_script(OBSERVER)
        await page.goto(url, timeout=DEADLINE_MS)
        await watched._cdp.send("Performance.enable")
        return watched

    def _count(self) -> None:
        self.pushed += 1

    async def read(self) -> dict[str, float]:
        metrics = (await self._cdp.send("Performance.getMetrics"))["metrics"]
        busy = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
        seen: dict[str, float] = await self._page.evaluate("window.seen")
        return seen | {"busy": busy, "pushed": self.pushed}


def main(arguments: Sequence[str] | None = None) -> None:
    plan = MovesPlan()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.moves", description=__doc__)
    parser.add_argument("--fleet", type=int, default=plan.fleet)
    parser.add_argument("--minutes", type=float, default=plan.minutes)
    options = parser.parse_args(arguments)
    print(as_table(measure(MovesPlan(fleet=options.fleet, minutes=options.minutes))))


def measure(plan: MovesPlan) -> dict[str, Watched]:
    with (
        Environment.set_up(FULL, machine.all_cores()) as environment,
        environment.system(Tms, TMS_HEARTBEAT_S="600") as system,
    ):
        system.prepare(plan.fleet)
        system.execute(THRESHOLDS)
        system.start()
        return asyncio.run(_watched(system.address, plan))


async def _watched(address: Address, plan: MovesPlan) -> dict[str, Watched]:
    fleet = await ConnectedFleet.connect(address, plan.churning)
    origin = f"http://{address.base()}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        pages = {name: await _opened(browser, address, origin + path) for name, path in PAGES.items()}
        await asyncio.sleep(SETTLE_S)
        before = {name: await page.read() for name, page in pages.items()}
        began_at = time.monotonic()
        await _churn(fleet, plan)
        minutes = (time.monotonic() - began_at) / 60
        after = {name: await page.read() for name, page in pages.items()}
        await browser.close()
    fleet.close()
    return {name: _of(before[name], after[name], minutes) for name in pages}


async def _opened(browser: Browser, address: Address, url: str) -> WatchedPage:
    """A page in a window of its own, because a hidden page paints nothing."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    name, _, value = address.cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": url}])
    return await WatchedPage.open(context, url)


async def _churn(fleet: ConnectedFleet, plan: MovesPlan) -> None:
    say(f"{plan.churning} alerts open and are resolved, one every {plan.every_s:g} s, for {plan.minutes:g} min")
    for turn in range(round(60 * plan.minutes / plan.every_s)):
        index = turn % plan.churning
        fleet.papers[index] = FINE if fleet.papers[index] == WARNING and turn >= plan.churning else WARNING
        fleet.report(index)
        await asyncio.sleep(plan.every_s)


def _of(before: dict[str, float], after: dict[str, float], minutes: float) -> Watched:
    done = {name: after[name] - before[name] for name in before}
    return Watched(
        moves_per_minute=done["moves"] / minutes,
        rows_per_move=done["rows"] / done["moves"] if done["moves"] else 0.0,
        shift=done["shift"],
        pushed=int(done["pushed"]),
        main_thread_ms=done["busy"] * 1e3 / done["pushed"] if done["pushed"] else 0.0,
        late=int(done["late"]),
        painted=int(done["frames"]),
    )


def as_table(watched: dict[str, Watched]) -> str:
    head = ("page", "moves/min", "rows/move", "CLS", "frames pushed", "main thread, ms/frame", "dropped", "painted")
    rows = [
        (
            name,
            number(one.moves_per_minute),
            number(one.rows_per_move),
            f"{one.shift:.3f}",
            str(one.pushed),
            number(one.main_thread_ms),
            str(one.late),
            str(one.painted),
        )
        for name, one in watched.items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()
