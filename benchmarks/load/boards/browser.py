"""A real browser with one page open, which records when it paints changes."""

import asyncio
import json
import time

from playwright.async_api import Browser, Page, Playwright, async_playwright

from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from benchmarks.load.commands import PaintTimes
from benchmarks.systems.address import Address

STOPWATCH = """
(([selector, pattern]) => {
  const shown = (window.benchShown = []);
  let last = -1;
  const painted = (number) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => shown.push([number, performance.timeOrigin + performance.now()]);
    port2.postMessage(0);
  };
  const look = () => {
    const found = new RegExp(pattern).exec(document.querySelector(selector)?.textContent ?? "");
    const number = Number(found?.[1].replaceAll(",", ""));
    if (!found || number === last) return;
    last = number;
    requestAnimationFrame(painted.bind(null, last));
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
})(%s)
"""
"""A message posted within an animation frame arrives after that frame was painted.

The page changes within one frame, and this runs at the end of the next, so it measures up to 17 ms too much, never too
little.
"""
OPEN_DEADLINE_MS = 60_000
LOOK_S = 0.05


class BrowserPage:
    def __init__(self, playwright: Playwright, browser: Browser, page: Page) -> None:
        self._playwright = playwright
        self._browser = browser
        self._page = page

    @classmethod
    async def open(cls, address: Address) -> "BrowserPage":
        """Raises playwright's Error without Chromium."""
        origin = f"http://{address.base()}"
        playwright = await async_playwright().start()
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        name, _, value = address.cookie.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": origin}])
        page = await context.new_page()
        await page.add_init_script(STOPWATCH % json.dumps(address.protocol.probe_on_page))
        await page.goto(origin + address.protocol.page, timeout=OPEN_DEADLINE_MS)
        return cls(playwright, browser, page)

    async def seen(self, newest: int, *, until: float) -> PaintTimes:
        """Boards showed it just now; the browser may be about to paint it."""
        ahead_s = time.time() - time.monotonic()
        while True:
            shown = await self._page.evaluate("window.benchShown")
            if any(number >= newest for number, _ in shown) or time.monotonic() >= until:
                break
            await asyncio.sleep(LOOK_S)
        return PaintTimes([(number, at_ms / 1000 - ahead_s) for number, at_ms in shown])

    async def leave(self) -> None:
        await self._browser.close()
        await self._playwright.stop()
