"""The list of terminals as a workbench: what is selected, and which columns there are."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import Kiosk, SeededTMS


@pytest_asyncio.fixture(loop_scope="session")
async def four(tms: SeededTMS) -> AsyncIterator[list[Kiosk]]:
    """Kiosks of which nobody else selects any; at the end they go offline as planned."""
    kiosks = [await tms.terminal("UMD") for _ in range(4)]
    yield kiosks
    for kiosk in kiosks:
        await kiosk.announce_closing()


def listed(four: list[Kiosk]) -> str:
    return f"/terminals/?q=uid:{','.join(kiosk.uid for kiosk in four)}"


def boxes(page: Page) -> Locator:
    return page.locator("[data-row]").get_by_role("checkbox")


def bar(page: Page) -> Locator:
    return page.get_by_role("group", name="Selected terminals")


async def test_a_range_stays_selected_while_the_list_is_sorted(person: Enter, four: list[Kiosk]):
    page = await (await person()).open(listed(four))
    await expect(bar(page)).to_be_hidden()

    await boxes(page).nth(0).check()
    await boxes(page).nth(2).click(modifiers=["Shift"])
    await expect(bar(page)).to_contain_text("3 selected")
    await page.get_by_role("link", name="Terminal", exact=True).click()
    await expect(page.locator("[aria-sort=descending]")).to_be_visible()
    await expect(bar(page)).to_contain_text("3 selected")
    await expect(boxes(page).nth(0)).not_to_be_checked()
    for row in (1, 2, 3):
        await expect(boxes(page).nth(row)).to_be_checked()

    await page.keyboard.press("m")
    await page.wait_for_url("**/maintenance/new/?*")
    assert sorted(parse_qs(urlsplit(page.url).query)["terminal"]) == sorted(kiosk.uid for kiosk in four[:3])


async def test_all_that_match_are_selected_as_a_query_and_cleared_with_escape(person: Enter, four: list[Kiosk]):
    page = await (await person()).open(listed(four))

    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(bar(page)).to_contain_text("1 selected")
    await page.keyboard.press("Escape")
    await expect(bar(page)).to_be_hidden()
    await page.get_by_label("Select all on this page").check()
    await boxes(page).nth(3).uncheck()
    await bar(page).get_by_role("button", name="Select all 4 that match").click()
    await expect(boxes(page).nth(3)).to_be_checked()
    await bar(page).get_by_role("button", name="Maintenance").click()

    await page.wait_for_url("**/maintenance/new/?*")
    query = parse_qs(urlsplit(page.url).query)
    assert (query["all"], query["count"], "terminal" in query) == (["1"], ["4"], False)
    assert query["q"] == [parse_qs(urlsplit(listed(four)).query)["q"][0] + " state:in_service"]


async def test_columns_are_chosen_and_ordered_with_the_keyboard(person: Enter, four: list[Kiosk]):
    page = await (await person("mori")).open(listed(four))
    menu = page.locator("details.columns")

    await menu.locator("summary").click()
    for name in ("Status", "Alert", "Site and location", "Tags"):
        await menu.get_by_label(name, exact=True).uncheck()
    await menu.get_by_label("Model", exact=True).focus()
    for _ in range(4):
        await page.keyboard.press("Alt+ArrowUp")
    await expect(menu.get_by_label("Model", exact=True)).to_be_focused()
    await menu.get_by_role("button", name="Apply").click()

    heads = page.locator("thead th")
    await expect(heads).to_have_text(
        ["", "Terminal", "Model", "Presence", "Firmware", "Last seen", "Temperature", "Paper"]
    )
    assert "columns=uid,model,presence,firmware" in page.url
    await page.locator("details.columns summary").click()
    await page.locator("details.columns").get_by_role("button", name="Reset").click()
    await expect(heads).to_have_count(12)


async def test_a_completion_of_what_was_typed_before_replaces_what_was_typed_since(person: Enter):
    """Its answer is on the way while somebody goes on typing, and takes it with Tab."""
    page = await (await person()).open("/devices/")
    field = page.get_by_role("combobox", name="Search devices")
    await field.press_sequentially("s")
    await expect(page.get_by_role("option").first).to_contain_text("serial:")
    await page.route("**/suggestions/queries/**", lambda _: None)

    await field.press_sequentially("eri")
    await page.keyboard.press("Tab")

    await expect(field).to_have_value("serial:")
