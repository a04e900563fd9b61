"""One load of a page after the other, each in a new browser context with an empty cache."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from benchmarks.systems.address import Address
from benchmarks.vitals.plan import Device, VitalsPlan

DEADLINE_MS = 120_000
INTERACTIONS = ("Control+k", "Escape", "?", "Escape")
"""Keys that open and close dialogs, on a page that has them."""
OBSERVER = """
window.vitals = { paint: 0, lcp: 0, blocked: 0, slowest: 0, shift: 0 };
const observe = (type, each, rest = {}) =>
  new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, ...rest });
observe("paint", (entry) => {
  if (entry.name === "first-contentful-paint") vitals.paint = entry.startTime;
});
observe("largest-contentful-paint", (entry) => { vitals.lcp = entry.startTime; });
observe("longtask", (entry) => { vitals.blocked += Math.max(0, entry.duration - 50); });
observe("event", (entry) => {
  if (entry.interactionId) vitals.slowest = Math.max(vitals.slowest, entry.duration);
}, { durationThreshold: 16 });
let session = { first: 0, last: 0, sum: 0 };
observe("layout-shift", (entry) => {
  if (entry.hadRecentInput) return;
  const isNew = entry.startTime - session.last > 1000 || entry.startTime - session.first > 5000;
  if (isNew) session = { first: entry.startTime, last: 0, sum: 0 };
  session.last = entry.startTime;
  session.sum += entry.value;
  vitals.shift = Math.max(vitals.shift, session.sum);
});
"""
"""Layout shift is that of the worst session window; the blocked time of a task is what exceeds 50 ms."""


@dataclass(frozen=True)
class Load:
    first_paint_ms: float
    lcp_ms: float
    """Largest contentful paint."""
    tbt_ms: float
    """Total blocking time, until the page settled."""
    inp_ms: float
    """The slowest time from a key to the next paint; 0 below 16 ms."""
    cls: float
    """Cumulative layout shift."""
    requests: int
    """The number of requests, the WebSocket not counted."""
    kb: float
    """Transferred, compressed, with headers."""


class Traffic:
    """What a page transferred."""

    def __init__(self, cdp: Any) -> None:
        self.requests, self.bytes = 0, 0
        cdp.on("Network.responseReceived", self._received)
        cdp.on("Network.loadingFinished", self._finished)

    def _received(self, event: Any) -> None:
        self.requests += event["response"]["url"].startswith("http")

    def _finished(self, event: Any) -> None:
        self.bytes += event["encodedDataLength"]


class LoadingBrowser:
    def __init__(self, browser: Browser, address: Address, plan: VitalsPlan) -> None:
        self._browser, self._address, self._plan = browser, address, plan

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address, plan: VitalsPlan) -> AsyncIterator["LoadingBrowser"]:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            yield cls(browser, address, plan)
            await browser.close()

    async def load(self, url: str, device: Device) -> Load:
        context = await self._browser.new_context(**device.context)
        name, _, value = self._address.cookie.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": f"http://{self._address.base()}"}])
        page = await context.new_page()
        cdp = await context.new_cdp_session(page)
        traffic = Traffic(cdp)
        await cdp.send("Network.enable")
        await cdp.send("Network.emulateNetworkConditions", device.network)
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": self._plan.cpu})
        await page.add_init_script(OBSERVER)
        await page.goto(url, timeout=DEADLINE_MS)
        await asyncio.sleep(self._plan.settle_s)
        seen: dict[str, float] = await page.evaluate("({ ...vitals })")
        requests, kb = traffic.requests, traffic.bytes / 1e3
        slowest = await self._interact(page)
        await context.close()
        return Load(seen["paint"], seen["lcp"], seen["blocked"], slowest, seen["shift"], requests=requests, kb=kb)

    async def _interact(self, page: Page) -> float:
        if not await page.locator("#palette").count():
            return 0.0
        for key in INTERACTIONS:
            await page.keyboard.press(key)
            await asyncio.sleep(self._plan.settle_s / 8)
        slowest: float = await page.evaluate("vitals.slowest")
        return slowest
