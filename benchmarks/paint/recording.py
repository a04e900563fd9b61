"""A real Chromium in which a page is traced while changes are made."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from benchmarks.paint import plain
from benchmarks.paint.trace import CATEGORIES, PaintedChange, painted_changes
from benchmarks.systems.address import Address

DEADLINE_MS = 60_000

type Change = Callable[[], Awaitable[object] | None]


class Recorder:
    def __init__(self, browser: Browser, context: BrowserContext, origin: str) -> None:
        self._browser, self._context, self._origin = browser, context, origin

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address) -> AsyncIterator["Recorder"]:
        """Raises playwright's Error without Chromium."""
        origin = f"http://{address.base()}"
        name, _, value = address.cookie.partition("=")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            context = await browser.new_context(viewport={"width": 1440, "height": 900})
            await context.add_cookies([{"name": name, "value": value, "url": origin}])
            yield cls(browser, context, origin)
            await browser.close()

    async def board(self, path: str, *, rows: int, settle_s: float) -> Page:
        """`rows` are at least on the page."""
        page = await self._context.new_page()
        await page.goto(self._origin + path, timeout=DEADLINE_MS)
        await expect(page.locator("[data-row]").nth(rows - 1)).to_be_attached(timeout=DEADLINE_MS)
        await asyncio.sleep(settle_s)
        return page

    async def plain(self, rows: int) -> Page:
        page = await self._context.new_page()
        await page.set_content(plain.page(rows))
        return page

    async def record(self, page: Page, change: Change, *, times: int, every_s: float) -> list[PaintedChange]:
        await self._browser.start_tracing(page=page, categories=list(CATEGORIES))
        for _ in range(times):
            made = change()
            if made is not None:
                await made
            await asyncio.sleep(every_s)
        trace = json.loads(await self._browser.stop_tracing())
        await page.close()
        return painted_changes(trace["traceEvents"])
