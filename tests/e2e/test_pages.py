"""Every page, dark and light, wide and on a phone, in English and Japanese: measured, and searched for barriers.

With PICTURES set in the environment, a picture of each is written to artefacts/pages/.
"""

import os
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.e2e.axe import ALL_RULES, COLOUR_RULES, barriers
from tests.e2e.busy_fleet import BusyFleet, make_busy
from tests.e2e.faults import watch
from tests.e2e.seeded_tms import VIEWPORTS, SeededTMS, live, sign_in_as
from tests.support.servers.tms import ROOT

PICTURES = ROOT / "artefacts" / "pages"
HAS_PICTURES = "PICTURES" in os.environ
PEOPLE = {"en": "tanaka", "ja": "sato"}
LOCALES = {"en": "en-GB", "ja": "ja-JP"}
SEARCHES = {("phone", "light"): COLOUR_RULES, ("wide", "light"): COLOUR_RULES, ("wide", "dark"): ALL_RULES}
"""How the English pages are searched for barriers; nothing else has a colour that these have not."""
OTHER_ON_PHONES = ("sign-in", "overview", "terminals", "terminal", "alerts", "alert", "incident", "policy", "me")
"""Pages whose elements on a phone are searched with all rules: those of other pages are like them."""
NARROW = (320, 768, 1023)
"""Widths in which nothing that a decision needs is cut, though there is little room."""
SIZES: dict[str, ViewportSize] = {
    "phone": VIEWPORTS["phone"],
    **{f"{width} px": {"width": width, "height": 844} for width in NARROW},
    "wide": VIEWPORTS["wide"],
}
THEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededTMS]:
    with SeededTMS(tmp_path_factory.mktemp("busy")) as tms:
        yield tms


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def busy_fleet(busy: SeededTMS, browser: Browser) -> AsyncIterator[BusyFleet]:
    busy_fleet = await make_busy(busy, browser)
    yield busy_fleet
    await busy_fleet.close()


class Album:
    """Opens page after page as one person, signed in where needed."""

    def __init__(self, tms: SeededTMS, busy_fleet: BusyFleet, visitor: BrowserContext, person: BrowserContext) -> None:
        self.tms = tms
        self.busy_fleet = busy_fleet
        self.visitor = visitor
        self.person = person

    @classmethod
    async def open(
        cls, browser: Browser, tms: SeededTMS, busy_fleet: BusyFleet, *, language: str, **options: Any
    ) -> "Album":
        # Without motion, because a colour during a transition belongs to neither theme.
        options |= {"locale": LOCALES[language], "viewport": VIEWPORTS["phone"], "reduced_motion": "reduce"}
        person = await sign_in_as(browser, tms, PEOPLE[language], **options)
        return cls(tms, busy_fleet, await browser.new_context(**options), person.context)

    async def pages(self) -> AsyncIterator[tuple[str, Page]]:
        """Each as it is on a phone."""
        visited, used = await self.visitor.new_page(), await self.person.new_page()
        for name, path in self.busy_fleet.pages.items():
            page = visited if name == "sign-in" else used
            await page.set_viewport_size(VIEWPORTS["phone"])
            await page.goto(self.tms.url + path)
            await live(page)
            if await page.locator("#chart").count():
                await expect(page.locator("#chart canvas").first).to_be_visible()
            if await page.locator("#preview[hx-get]:visible").count():
                await expect(page.locator("#preview .preview-count")).to_be_visible()
            yield name, page

    async def close(self) -> None:
        await self.visitor.close()
        await self.person.close()


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_every_page_fits_its_window_is_in_one_language_and_accessible(
    busy: SeededTMS, busy_fleet: BusyFleet, browser: Browser, faults: list[str], language: str
):
    """A page is loaded once, on a phone, and then given other sizes."""
    album = await Album.open(browser, busy, busy_fleet, language=language)
    for context in (album.visitor, album.person):
        watch(context, faults)
    found: list[str] = []

    async for name, page in album.pages():
        await expect(page.locator(":root")).to_have_attribute("lang", language)
        for size, viewport in SIZES.items():
            await page.set_viewport_size(viewport)
            measured = sideways if size == "wide" else clipped
            found += [f"{name}, {size}: {what}" for what in await measured(page)]
            if size in VIEWPORTS:
                found += [f"{name}, {size}, {what}" async for what in barriers_of(page, name, size, language)]
            if size in VIEWPORTS and language == "ja":
                found += [f"{name}, {size}, not Japanese: {word}" for word in await english(page)]
        if name in ("alerts", "expanded"):
            found += [f"{name}: {what}" for what in await spacious(page)]
        found += [f"{name}, cut off: {what}" for what in await cut_off(page)]

    await album.close()
    assert found == []


async def barriers_of(page: Page, name: str, size: str, language: str) -> AsyncIterator[str]:
    """The barriers on an English page in each theme, with its pictures if asked for."""
    for theme in THEMES:
        search = SEARCHES.get((size, theme)) if language == "en" else None
        if search and size == "phone" and name in OTHER_ON_PHONES:
            search = ALL_RULES
        if search is None and not HAS_PICTURES:
            continue
        await page.emulate_media(color_scheme=theme)
        if HAS_PICTURES:
            await page.screenshot(path=PICTURES / f"{name}-{theme}-{size}-{language}.png")
        for what in await barriers(page, search) if search else ():
            yield f"{theme}: {what}"


async def spacious(page: Page) -> list[str]:
    """Rows of alerts higher than 44 px or, below their incident, 28 px; and room for fewer than 15 of them."""
    return await page.evaluate(
        """() => {
          const list = document.getElementById("alerts");
          // The last one also has the border of the list.
          const most = (row) => (row.matches(".member") ? 28 : 44) + Number(row === list.lastElementChild);
          const high = [...list.children].filter((row) => row.offsetHeight > most(row));
          const begins = list.getBoundingClientRect().top + scrollY;
          const fits = Math.floor((innerHeight - begins - document.getElementById("foot").offsetHeight) / 44);
          return high.map((row) => `${row.id}: ${row.offsetHeight} px`).concat(fits < 15 ? [`${fits} rows fit`] : []);
        }"""
    )


async def sideways(page: Page) -> list[str]:
    wide, room = await page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    return [f"{wide} px in {room} px"] if wide > room else []


async def clipped(page: Page) -> list[str]:
    """Titles, UIDs, totals and the freshness in the header that are cut, tables that hide columns, and a page
    that scrolls sideways.
    """
    return await page.evaluate(CLIPPED)


CLIPPED = """() => {
  const root = document.documentElement;
  const whole = ".bar h1, .proof, .uid, .total, .total *";
  const tables = ".terminals .table-box, .past .table-box, .av-days, .deliveries .table-box";
  return [root, ...document.querySelectorAll(`:is(${whole}, ${tables}):not(.unseen, .unseen *)`)]
    .filter((one) => one.clientWidth && one.scrollWidth > one.clientWidth + 1)
    .map((one) => [one, one === root ? outside() : one.outerHTML.slice(0, 200)])
    .map(([one, what]) => `${one.scrollWidth} px in ${one.clientWidth}: ${what}`);
  function outside() {
    const wide = [...document.querySelectorAll("body *")].filter((one) => {
      const edge = one.getBoundingClientRect();
      return edge.width && edge.right > innerWidth + 1;
    });
    return wide.map((one) => `${one.tagName}.${one.className} to ${one.getBoundingClientRect().right}`).join(", ");
  }
}"""


async def cut_off(page: Page) -> list[str]:
    """Totals and titles without room, with four digits in every total, letters 12 % wider and a page that is behind;
    controls outside their panel.
    """
    return await page.evaluate(
        """() => {
          const wider = new CSSStyleSheet();
          wider.replaceSync("* { letter-spacing: 0.07em !important }");
          document.adoptedStyleSheets = [wider];
          for (const age of document.querySelectorAll("[data-newest]")) age.textContent = "Newest data 123.4 s ago";
          for (const total of document.querySelectorAll(".total")) {
            total.dataset.digits = "many";
            for (const number of total.querySelectorAll(".value b")) number.textContent = "4,321";
          }
          const right = (element) => element.getBoundingClientRect().right;
          const isOutside = (control) => right(control) > right(control.closest(".panel")) + 1;
          return [...document.querySelectorAll(".total, .total *:not(.unseen), .bar h1")]
            .filter((element) => element.clientWidth && element.scrollWidth > element.clientWidth + 1)
            .concat([...document.querySelectorAll(".panel :is(.input, .chip)")].filter(isOutside))
            .map((element) => element.outerHTML.slice(0, 200));
        }"""
    )


UID = re.compile(r"[A-Z]{3}-[A-Z]{3}-\d+")


async def english(page: Page) -> list[str]:
    """Words of the page itself, not of people or terminals, that are not Japanese."""
    words = await page.locator(
        "h2, .rail-link, button, .tab, thead th, dt:not(:has(kbd)), label:not(.combobox *)"
    ).all_inner_texts()
    # The panel of its terminal has its UID as title.
    words = [text for text in words if not UID.fullmatch(text.strip())]
    known = ("TMS", "日本語", "English", "CPU", "CSV", "MTTA", "MTTR", "URL", "p50", "p90", "p95", "p99", "")
    return [word for word in (text.strip() for text in words) if word not in known and not JAPANESE.search(word)]
