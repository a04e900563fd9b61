"""A running TMS with people, sites and terminals, and clients for it."""

import contextlib
import itertools
import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.seed import PASSWORD
from tests.support.database import template_db
from tests.support.link.terminal import Terminal
from tests.support.servers.tms import RunningTMS

SETTINGS = {
    "TMS_HEARTBEAT_S": "600",
    "TMS_FRAMES_PER_MINUTE": "60000",
    "TMS_FRAMES_BURST": "1000",
    "TMS_INSIDE_DESTINATIONS": "127.0.0.1",
}
"""Terminals stay online without sending, and may send many frames at once; an identity provider is on this machine."""
VIEWPORTS = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


class Seed(NamedTuple):
    """A database with people, sites and terminals, and the credential of each terminal by its UID."""

    file: Path
    credentials: dict[str, str]


class SeededTMS(RunningTMS):
    """`Person`s sign in through their browsers; each test gets its own terminals."""

    seeds: ClassVar[dict[bool, Seed]] = {}
    """One hostile, one not; each TMS has a copy."""

    def __init__(self, folder: Path, *, hostile: bool = False, **env: str) -> None:
        super().__init__(folder, **SETTINGS, **env)
        self.is_hostile = hostile
        self.credentials: dict[str, str] = {}
        self.signed_in: dict[str, Any] = {}
        self._unused = {"SJK": itertools.count(1), "UMD": itertools.count(1)}
        self._rows: subprocess.Popen[str] | None = None

    def start(self) -> None:
        if not self.credentials:
            self.credentials = self._seed()
        super().start()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._rows is not None:
            self._rows.communicate()

    def _seed(self) -> dict[str, str]:
        """The credentials of the terminals in its database."""
        database = Path(self.env["TMS_DATA_DIR"]) / template_db.SQLITE
        if seed := self.seeds.get(self.is_hostile):
            shutil.copyfile(seed.file, database)
            return seed.credentials
        credentials = self.change("seed", self.is_hostile)
        seed = Seed(database.with_name("seed.sqlite3"), credentials)
        with (
            contextlib.closing(sqlite3.connect(database)) as rows,
            contextlib.closing(sqlite3.connect(seed.file)) as copy,
        ):
            rows.backup(copy)
        self.seeds[self.is_hostile] = seed
        return credentials

    def change(self, name: str, *arguments: Any) -> Any:
        """The result of a change in tests/e2e/rows.py."""
        if self._rows is None:
            command = [sys.executable, "-m", "tests.e2e.rows"]
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self._rows = subprocess.Popen(command, cwd=self.root, env=self.env, **pipes)
        assert self._rows.stdin is not None
        assert self._rows.stdout is not None
        print(json.dumps([name, *arguments]), file=self._rows.stdin, flush=True)
        return json.loads(self._rows.stdout.readline())

    def blackout(self, site: str = "SPR") -> int:
        """Disconnect a site that is used by no other test. Returns the number of the incident."""
        return int(self.change("blackout", site))

    def growing_blackout(self, site: str = "HKD") -> None:
        """Lose the terminals of such a site one after another."""
        self.change("growing_blackout", site)

    def night(self) -> datetime:
        """An incident at a site of its own, two hours ago, for ten minutes. Returns when it opened."""
        return datetime.fromisoformat(self.change("night"))

    def identity_provider(self, issuer: str, client_id: str, secret: str, *name_and_slug: str) -> int:
        """Set one up, whose groups `noc` and `timelords` are operators. Returns its number."""
        return int(self.change("identity_provider", issuer, client_id, secret, *name_and_slug))

    def saml_provider(self, issuer: str, address: str, certificate: str) -> int:
        """The same with SAML 2.0."""
        return int(self.change("saml_provider", issuer, address, certificate))

    def unused_uid(self, site: str = "SJK") -> str:
        """The UID of a terminal that no other test uses."""
        return f"{site}-KSK-{next(self._unused[site]):02}"

    async def terminal(self, site: str = "SJK") -> "Kiosk":
        """A newly connected terminal that no other test uses."""
        return await self.kiosk(self.unused_uid(site))

    async def kiosk(self, uid: str, **boot: Any) -> "Kiosk":
        kiosk = await Kiosk.connect(self.link, self.credentials[uid])
        kiosk.uid = uid
        await kiosk.boot(**boot)
        return kiosk


class Kiosk(Terminal):
    """A terminal with its UID, which numbers its reports."""

    uid = ""
    seq = 0

    async def send_report(self, **report: Any) -> None:
        """Send a report, and wait until TMS has committed it."""
        self.seq += 1
        await self.report(self.seq, **report)
        await self.acknowledged(self.seq)

    async def disconnect(self) -> None:
        """Abort the connection."""
        self.socket.transport.abort()

    async def announce_closing(self) -> None:
        """Send a goodbye for closing time, so that no alert opens."""
        await self.call("goodbye", reason="closing")
        await self.socket.close()


class Person:
    """A person with a browser."""

    def __init__(self, tms: SeededTMS, context: BrowserContext) -> None:
        self.tms = tms
        self.context = context

    async def open(self, path: str) -> Page:
        """The page at `path`, once it is live."""
        page = await self.context.new_page()
        await page.goto(self.tms.url + path)
        return await live(page)


async def live(page: Page) -> Page:
    """Wait for the first frame, if the page has a board and scripts run; from then on keyboard shortcuts work, too. A
    page that pairs a television loads itself again with a code.
    """
    if await page.locator("#pairing:not(:has(noscript > *))").count():
        await expect(page.locator("#pairing:is([data-left], [data-wait])")).to_be_visible()
    if await page.locator("html[data-board-socket]:not(:has(noscript > *))").count():
        await expect(page.locator("#proof dd").nth(2)).not_to_have_text("–")
        await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    return page


async def open_password(page: Page) -> None:
    """The form is behind a button once a person has a passkey."""
    if await page.locator("details.way:not([open])").count():
        await page.locator("details.way > summary").click()


async def sign_in(page: Page, username: str) -> None:
    """Submit the form on `page`."""
    await open_password(page)
    await page.locator("input[name=username]").fill(username)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("form:has([name=password]) button").click()
    await page.wait_for_url(lambda url: "sign-in" not in url)


async def sign_in_as(
    browser: Browser, tms: SeededTMS, username: str, *, size: Literal["wide", "phone"] = "wide", **options: Any
) -> Person:
    """A new browser in which a person is signed in."""
    usual = {"color_scheme": "dark", "timezone_id": "Asia/Tokyo", "viewport": VIEWPORTS[size]}
    if username not in tms.signed_in:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{tms.url}/sign-in/")
        await sign_in(page, username)
        tms.signed_in[username] = await context.storage_state()
        await context.close()
    return Person(tms, await browser.new_context(storage_state=tms.signed_in[username], **(usual | options)))
