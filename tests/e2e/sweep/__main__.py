"""`python -m tests.e2e.sweep`: what keeps people from using TMS, on every page and in every dialog and menu.

For each language, on a phone that is touched and in a wide window with a pointer, in both themes, of a TMS with current
activity: axe with all rules; whether everything fits, also at a zoom of 200 and 400 %; whether every control is reached
with Tab, shows its focus and is not covered; whether dialogs and menus open and close with the keyboard and return the
focus; targets of 44 px for fingers; what moves although the person prefers that nothing does; Japanese on English pages
that is not marked as such. Takes about half an hour; the tests in the suite look at a part of it.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright, expect

from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from tests.e2e.busy_fleet import make_busy
from tests.e2e.faults import WAIT_MS
from tests.e2e.seeded_tms import VIEWPORTS, SeededTMS, live, sign_in_as
from tests.e2e.sweep.addresses import REFUSED, VISITED, every_page
from tests.e2e.sweep.dialogs import check_dialogs
from tests.e2e.sweep.findings import Findings, Variant
from tests.e2e.sweep.pages import check_page

PEOPLE = {"en": ("tanaka", "en-GB"), "ja": ("sato", "ja-JP")}
PROBES = Path(__file__).with_name("probes.js")
DETAILED = ("alert", "incident")
"""Pages with forms that their dialogs have, too: all of these are opened again."""
SETTINGS = {"TMS_APPROVAL_ALERTS": "3", "TMS_APPROVAL_EXPIRES_S": "36000"}
"""An incident is large enough for a second person, and the request waits through the sweep."""


@dataclass(frozen=True)
class Screen:
    """A page that is on a phone, or in a wide window, without being loaded again."""

    page: Page
    session: CDPSession

    @classmethod
    async def of(cls, context: BrowserContext) -> "Screen":
        context.set_default_timeout(2 * WAIT_MS)
        await context.add_init_script(path=PROBES)
        page = await context.new_page()
        return cls(page, await context.new_cdp_session(page))

    async def become(self, size: str) -> None:
        await self.page.set_viewport_size(VIEWPORTS[size])  # type: ignore[arg-type]
        await self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": size == "phone"})


async def sweep(names: Sequence[str], languages: Sequence[str], sizes: Sequence[str], root: Path | None) -> Findings:
    done = Findings()
    expect.set_options(timeout=2 * WAIT_MS)
    settings: dict[str, Any] = SETTINGS | ({"root": root} if root else {})
    with tempfile.TemporaryDirectory() as folder, SeededTMS(Path(folder), **settings) as tms:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            busy = await make_busy(tms, browser)
            pages = every_page(busy, approval=await _ask_for_approval(browser, tms, busy.pages["incident"]))
            chosen = {name: path for name, path in pages.items() if not names or name in names}
            await asyncio.gather(*(_sweep(done, browser, tms, chosen, language, sizes) for language in languages))
            await busy.close()
            await browser.close()
    return done


async def _ask_for_approval(browser: Browser, tms: SeededTMS, incident: str) -> int:
    """An operator asks those on shift, who have a board open. Returns the number of the request."""
    tanaka, mori = await sign_in_as(browser, tms, "tanaka"), await sign_in_as(browser, tms, "mori")
    await tanaka.open("/")
    page = await mori.context.new_page()
    asks = page.get_by_role("button", name="Ask for approval")
    for _ in range(20):
        await page.goto(f"{tms.url}{incident}snooze/")
        if await asks.count():
            break
    await asks.click()
    await page.wait_for_url("**/approvals/*/")
    number = int(page.url.rstrip("/").rpartition("/")[2])
    for person in (tanaka, mori):
        await person.context.close()
    return number


async def _sweep(
    done: Findings, browser: Browser, tms: SeededTMS, pages: dict[str, str], language: str, sizes: Sequence[str]
) -> None:
    known: dict[str, set[str]] = {size: set() for size in sizes}
    async with _opened(browser, tms, language) as (person, visitor):
        for number, (name, path) in enumerate(pages.items(), 1):
            print(f"{language} {number} of {len(pages)}: {name}", flush=True)
            screen = visitor if name in VISITED else person
            await screen.become(sizes[0])
            answer = await screen.page.goto(tms.url + path)
            await live(screen.page)
            is_expected = answer is not None and answer.status == REFUSED.get(name, 200)
            problems = [] if is_expected else [f"{answer and answer.status} for {path}"]
            done.add(Variant(language, sizes[0]), name, "answer", problems)
            for size in sizes:
                await screen.become(size)
                variant, old = Variant(language, size), set() if name in DETAILED else known[size]
                await check_page(done, screen.page, variant, name)
                await check_dialogs(done, screen.page, variant, name, old)


@asynccontextmanager
async def _opened(browser: Browser, tms: SeededTMS, language: str) -> AsyncIterator[tuple[Screen, Screen]]:
    """The screens of a person, and of a browser in which nobody is signed in. Motion is reduced, because a colour
    during a transition belongs to neither theme.
    """
    username, locale = PEOPLE[language]
    options: dict[str, Any] = {"locale": locale, "color_scheme": "light", "reduced_motion": "reduce"}
    contexts = [(await sign_in_as(browser, tms, username, **options)).context, await browser.new_context(**options)]
    person, visitor = [await Screen.of(context) for context in contexts]
    yield person, visitor
    for context in contexts:
        await context.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.sweep", description=__doc__)
    parser.add_argument("--pages", nargs="+", default=[], metavar="NAME", help="only these; see addresses.py")
    parser.add_argument("--languages", nargs="+", choices=PEOPLE, default=list(PEOPLE))
    parser.add_argument("--sizes", nargs="+", choices=VIEWPORTS, default=list(VIEWPORTS))
    parser.add_argument("--root", type=Path, help="the checkout to sweep; by default this one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the findings there")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")  # for the commands that seed
    done = asyncio.run(sweep(options.pages, options.languages, options.sizes, options.root))
    if options.json:
        done.write(options.json)
    print(f"\n{done.table()}\n{len(done.found)} findings of {done.kinds} kinds")
    sys.exit(bool(done.found))


if __name__ == "__main__":
    main()
