"""A running TMS with people, sites and terminals in it, and the ways in."""

import itertools
import json
import sys
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.seed import PASSWORD
from tests.support.link.terminal import Terminal
from tests.support.servers.tms import RunningTMS

SETTINGS = {"TMS_HEARTBEAT_S": "600", "TMS_FRAMES_PER_MINUTE": "60000", "TMS_FRAMES_BURST": "1000"}
"""Terminals stay online without a word, and may say much at once."""
VIEWPORTS = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


class SeededTMS(RunningTMS):
    """`People` sign in through their browsers; each terminal that a test asks for is its own."""

    def __init__(self, folder: Path, *, hostile: bool = False) -> None:
        super().__init__(folder, **SETTINGS)
        self.furnish = ["-m", "tests.e2e.seed", *(["--hostile"] if hostile else [])]
        self.credentials: dict[str, str] = {}
        self.signed_in: dict[str, Any] = {}
        self._unused = {"SJK": itertools.count(1), "UMD": itertools.count(1)}

    def start(self) -> None:
        if not self.credentials:
            self.credentials = json.loads(self._run(sys.executable, *self.furnish))
        super().start()

    def blackout(self, site: str = "SPR") -> int:
        """A site of its own, which no other test loses, loses its line: the number of the incident."""
        return int(self._run(sys.executable, "-m", "tests.e2e.blackout", site))

    async def terminal(self, site: str = "SJK") -> "Kiosk":
        """A terminal that no other test uses, online since now."""
        return await self.kiosk(f"{site}-KSK-{next(self._unused[site]):02}")

    async def kiosk(self, uid: str, **boot: Any) -> "Kiosk":
        kiosk = await Kiosk.connect(self.link, self.credentials[uid])
        kiosk.uid = uid
        await kiosk.boot(**boot)
        return kiosk


class Kiosk(Terminal):
    """A terminal by its name, which counts its reports."""

    uid = ""
    seq = 0

    async def say(self, **report: Any) -> None:
        """Reports, and waits until TMS has committed it."""
        self.seq += 1
        await self.report(self.seq, **report)
        await self.acknowledged(self.seq)

    async def leave(self) -> None:
        """The network is gone."""
        self.socket.transport.abort()

    async def close_shop(self) -> None:
        """Gone for the day: nobody is told that it is offline."""
        await self.call("goodbye", reason="closing")
        await self.socket.close()


class Person:
    """Someone with a browser."""

    def __init__(self, house: SeededTMS, context: BrowserContext) -> None:
        self.house = house
        self.context = context

    async def open(self, path: str) -> Page:
        """The page at `path`, once it is live."""
        page = await self.context.new_page()
        await page.goto(self.house.url + path)
        return await live(page)


async def live(page: Page) -> Page:
    """Once the first frame has come, if the page has a board and scripts run: from then on keys work as well."""
    if await page.locator("html[data-board-socket]:not(:has(noscript > *))").count():
        await expect(page.locator("#proof dd").nth(2)).not_to_have_text("–")
        await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    return page


async def sign_in(page: Page, username: str) -> None:
    """Through the form that stands on `page`."""
    await page.locator("input[name=username]").fill(username)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("form:has([name=password]) button").click()
    await page.wait_for_url(lambda url: "sign-in" not in url)


async def enter(
    browser: Browser, house: SeededTMS, username: str, *, size: Literal["wide", "phone"] = "wide", **options: Any
) -> Person:
    """A new browser of a person who has signed in."""
    usual = {"color_scheme": "dark", "timezone_id": "Asia/Tokyo", "viewport": VIEWPORTS[size]}
    if username not in house.signed_in:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{house.url}/sign-in/")
        await sign_in(page, username)
        house.signed_in[username] = await context.storage_state()
        await context.close()
    return Person(house, await browser.new_context(storage_state=house.signed_in[username], **(usual | options)))
