"""What happens to the demo fleet during a journey: a colleague breaks something, and nothing of it is counted."""

from playwright.async_api import Locator, Page, expect

from benchmarks.journeys.demo import COLLEAGUE, PASSWORD, SITE
from benchmarks.journeys.elements import Element
from benchmarks.journeys.walker import PATIENCE_MS, Walker

SABOTEUR = "saboteur"
"""A browser apart from that in which the colleague may walk."""


async def line_is_up(walker: Walker) -> None:
    """The demo itself cuts the line of the site when it starts."""
    page = await _signed_in(walker, "/")
    await expect(_at(page, Element.INCIDENT_OF_SITE, site=SITE)).to_be_hidden(timeout=PATIENCE_MS)


async def cut_line(walker: Walker) -> None:
    await _start(walker, "cut-site")


async def jam_reader(walker: Walker) -> None:
    """Jam a card reader at the site. The walker notes the terminal."""
    walker.notes["uid"] = (await _start(walker, "jam-reader")).partition(" ")[0]


async def undo(walker: Walker) -> None:
    """Everything."""
    page = await _signed_in(walker, "/demo/")
    button = _at(page, Element.UNDO_FAULT)
    while await button.count():
        async with page.expect_navigation():
            await button.click()


async def _start(walker: Walker, fault: str) -> str:
    """Break the site, or its first terminal. Returns its code or UID."""
    page = await _signed_in(walker, "/demo/")
    target = _at(page, Element.FAULT_TARGET, fault=fault)
    choice = page.locator(f"#{fault}-choices option", has_text=SITE).first
    value = await choice.get_attribute("value") or ""
    await target.fill(value)
    await _at(page, Element.START_FAULT, fault=fault).click()
    await expect(_at(page, Element.UNDO_FAULT)).to_be_visible(timeout=PATIENCE_MS)
    return value


async def _signed_in(walker: Walker, path: str) -> Page:
    page = await walker.page_of(SABOTEUR)
    await page.goto(walker.demo.url + path)
    if await page.locator("input[name=password]").count():
        await page.locator("input[name=username]").fill(COLLEAGUE)
        await page.locator("input[name=password]").fill(PASSWORD)
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
    return page


def _at(page: Page, element: Element, **names: str) -> Locator:
    return page.locator(f"xpath={element.xpath(**names)}").first
