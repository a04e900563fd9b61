"""What a person sees of an outage on one board: its rows and its badge over time."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from playwright.async_api import Page

DEADLINE_MS = 60_000
OF_OUTAGE = re.compile(r"terminals? offline$")
"""The title of an incident, also of the forming one."""
SINGLE = re.compile(r": Offline$")
OBSERVER = """
window.film = { began: 0, events: [], samples: [] };
addEventListener("DOMContentLoaded", () => {
  const second = () => (performance.now() - film.began) / 1000;
  const titleOf = (row) => row.querySelector("h3")?.textContent.trim() ?? "";
  new MutationObserver((records) => {
    if (!film.began) return;
    for (const { target, addedNodes, removedNodes } of records) {
      if (!target.matches?.("#alerts, #incidents")) continue;
      for (const [kind, nodes] of [["in", addedNodes], ["out", removedNodes]])
        for (const node of nodes) if (node.id) film.events.push([second(), kind, titleOf(node)]);
    }
  }).observe(document.body, { subtree: true, childList: true });
  setInterval(() => {
    const badge = document.getElementById("nav-alerts");
    const number = badge && !badge.hidden ? parseInt(badge.textContent) || 0 : 0;
    const rows = [...document.querySelectorAll("#alerts > [id], #incidents > [id]")];
    const struck = rows.filter((row) => row.matches("[data-gone]")).map(titleOf);
    const changes = [...document.querySelectorAll("#changes > li > time")].map((time) => time.dateTime);
    const isSorted = changes.every((time, at) => at === 0 || Date.parse(time) <= Date.parse(changes[at - 1]));
    film.samples.push([second(), number, isSorted, struck, rows.map(titleOf)]);
  }, 100);
});
"""
"""Rows that enter and leave the lists; ten times a second badge, rows, and whether the newest change is the first."""


class Film:
    COLUMNS: ClassVar[Sequence[str]] = ("s", "rows in", "rows out", "single alerts", "struck", "of the outage", "badge")

    def __init__(self, page: Page, path: str) -> None:
        self._page = page
        self.path = path
        self.name = path.strip("/") or "overview"
        self._events: list[Any] = []
        self._samples: list[Any] = []
        self._before: set[str] = set()
        """Titles of rows when the film began."""
        self._begun_s = 0.0

    @classmethod
    async def open(cls, page: Page, url: str) -> "Film":
        await page.add_init_script(OBSERVER)
        await page.goto(url, timeout=DEADLINE_MS)
        if await page.locator("#tour").count():
            await page.locator("#tour form .button").click()
        return cls(page, "/" + url.split("/", 3)[3])

    async def start(self) -> None:
        await self._page.evaluate("() => { film.began = performance.now(); film.events = []; film.samples = []; }")

    async def has_begun(self) -> bool:
        """Whether the outage has a row."""
        self._events, self._samples = await self._page.evaluate("() => [film.events, film.samples]")
        if not self._samples:
            return False
        self._before = set(self._samples[0][4])
        begun = next((at for at, *_, titles in self._samples if self._of_outage(titles)), None)
        self._begun_s = begun or 0.0
        return begun is not None

    def _of_outage(self, titles: Sequence[str]) -> list[str]:
        return [title for title in titles if OF_OUTAGE.search(title) and title not in self._before]

    async def picture(self, path: Path) -> None:
        await self._page.screenshot(path=path)

    async def stop(self) -> None:
        await self.has_begun()

    def seconds(self) -> list[Sequence[str]]:
        """A row for each second, from two before the first row of the outage."""
        first = int(self._begun_s) - 2
        return [self._second(second, second - first - 2) for second in range(first, int(self._samples[-1][0]) + 1)]

    def _second(self, second: int, shown: int) -> Sequence[str]:
        events = [event for event in self._events if int(event[0]) == second]
        samples = [sample for sample in self._samples if int(sample[0]) == second]
        entered = [title for _, kind, title in events if kind == "in"]
        numbers = " → ".join(dict.fromkeys(str(sample[1]) for sample in samples))
        titles = " → ".join(dict.fromkeys("; ".join(self._of_outage(sample[4])) for sample in samples))
        struck = max((len(sample[3]) for sample in samples), default=0)
        single = sum(bool(SINGLE.search(title)) for title in entered)
        counts = map(str, (len(entered), len(events) - len(entered), single, struck))
        return (str(shown), *counts, titles, numbers)

    def summary(self) -> str:
        samples = [sample for sample in self._samples if sample[0] >= self._begun_s - 1]
        rows = [len(self._of_outage(sample[4])) for sample in samples]
        falls = sum(later < earlier for earlier, later in pairwise(sample[1] for sample in samples))
        struck = dict.fromkeys(title for sample in samples for title in sample[3])
        unsorted = sum(not sample[2] for sample in samples)
        return (
            f"Rows of the outage at most {max(rows, default=0)}; the badge fell {falls} times; "
            f"changes not newest first in {unsorted} of {len(samples)} samples; struck: {'; '.join(struck) or 'none'}."
        )
