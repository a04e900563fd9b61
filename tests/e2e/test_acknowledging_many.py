"""One person acknowledges many alerts at once, and all boards show it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.e2e.alerts import REPAIRED, fails, row_of
from tests.e2e.people import Enter
from tests.e2e.seeded_tms import Kiosk, SeededTMS


@pytest_asyncio.fixture(loop_scope="session")
async def four(tms: SeededTMS) -> AsyncIterator[list[Kiosk]]:
    """Kiosks with alerts; at the end they recover and go offline as planned, because other tests share the lists."""
    kiosks = [await tms.terminal("UMD") for _ in range(4)]
    for kiosk in kiosks:
        await fails(kiosk)
    yield kiosks
    for kiosk in kiosks:
        await fails(kiosk, REPAIRED)
        await kiosk.announce_closing()


def tick_of(page: Page, kiosk: Kiosk) -> Locator:
    return row_of(page, kiosk).get_by_role("checkbox")


def bar(page: Page) -> Locator:
    return page.get_by_role("group", name="Selected alerts")


async def test_a_bulk_acknowledgement_appears_in_the_browser_of_another_person(person: Enter, four: list[Kiosk]):
    here = await (await person("tanaka")).open("/alerts/")
    there = await (await person("mori")).open("/alerts/")
    await expect(bar(here)).to_be_hidden()

    for kiosk in four[:3]:
        await tick_of(here, kiosk).check()
    await expect(bar(here)).to_contain_text("3 selected")
    await here.keyboard.press("a")
    await expect(here.get_by_role("dialog")).to_contain_text("Acknowledge: 3 alerts")
    await here.get_by_label("Comment").fill("the west hall has no power")
    await here.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()

    for page in (here, there):
        for kiosk in four[:3]:
            await expect(row_of(page, kiosk)).to_have_attribute("data-ack", "acknowledged")
            await expect(row_of(page, kiosk)).to_contain_text("the west hall has no power")
        await expect(row_of(page, four[3])).to_have_attribute("data-ack", "none")
    await expect(here.get_by_role("dialog")).to_have_count(0)
    await expect(here.locator("#bulk-result")).to_contain_text("Acknowledge: applied to 3 alerts.")
    await expect(bar(here)).to_be_hidden()


async def test_acknowledging_many_with_the_keyboard_only(person: Enter, four: list[Kiosk]):
    page = await (await person()).open("/alerts/?q=UMD")
    for key in "jxjxjxjx":
        await page.keyboard.press(key)
    await expect(bar(page)).to_contain_text("4 selected")
    await page.keyboard.press("x")
    await expect(bar(page)).to_contain_text("3 selected")

    await page.keyboard.press("a")
    await expect(page.get_by_label("Comment")).to_be_focused()
    await page.keyboard.type("with both hands")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(page.locator("#bulk-result")).to_contain_text("Acknowledge: applied to 3 alerts.")
    await expect(page.locator("#alerts > li[data-ack=none]")).to_have_count(1)
    await expect(page.locator("#alerts > li :focus")).to_have_count(1)


async def test_escape_and_deselecting_clear_the_selection(person: Enter, four: list[Kiosk]):
    page = await (await person()).open("/alerts/")
    await tick_of(page, four[0]).check()
    await page.keyboard.press("Escape")
    await expect(tick_of(page, four[0])).not_to_be_checked()
    await expect(bar(page)).to_be_hidden()

    await tick_of(page, four[1]).check()
    await bar(page).get_by_role("button", name="Clear").click()

    await expect(tick_of(page, four[1])).not_to_be_checked()
    await expect(bar(page)).to_be_hidden()
    await expect(row_of(page, four[1]).locator(":focus")).to_have_count(1)


async def test_the_selection_survives_pushed_changes_and_acknowledgements_by_others(
    tms: SeededTMS, person: Enter, four: list[Kiosk]
):
    page = await (await person("tanaka")).open("/alerts/")
    quick = await (await person("mori")).open("/alerts/")
    for kiosk in four[:3]:
        await tick_of(page, kiosk).check()

    await four[0].disconnect()
    await expect(row_of(page, four[0])).to_contain_text("connection lost")
    four[0] = await tms.kiosk(four[0].uid)
    await expect(row_of(page, four[0])).not_to_contain_text("connection lost")
    await fails(four[3], REPAIRED)
    await expect(row_of(page, four[3])).to_have_attribute("data-gone", "")
    await expect(bar(page)).to_contain_text("3 selected")
    await row_of(quick, four[1]).get_by_role("link", name="Acknowledge").click()
    await quick.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()

    await expect(row_of(page, four[1])).to_have_attribute("data-ack", "acknowledged")
    for kiosk in four[:3]:
        await expect(tick_of(page, kiosk)).to_be_checked()
    await expect(bar(page)).to_contain_text("3 selected")


async def test_the_answer_shows_how_many_were_already_acknowledged_by_others(person: Enter, four: list[Kiosk]):
    slow = await (await person("tanaka")).open("/alerts/")
    quick = await (await person("mori")).open("/alerts/")
    for kiosk in four[:2]:
        await tick_of(slow, kiosk).check()
    await bar(slow).get_by_role("button", name="Acknowledge 2", exact=True).click()
    await slow.get_by_label("Comment").fill("I call them")

    await row_of(quick, four[0]).get_by_role("link", name="Acknowledge").click()
    await quick.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(row_of(slow, four[0])).to_have_attribute("data-ack", "acknowledged")
    await slow.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()

    result = "Acknowledge: applied to 1 alert. 1 was already acknowledged by someone else."
    await expect(slow.locator("#bulk-result")).to_contain_text(result)
    await expect(row_of(slow, four[1])).to_contain_text("I call them")


async def test_all_alerts_that_match_the_filter_are_acknowledged(person: Enter, four: list[Kiosk]):
    page = await (await person()).open(f"/alerts/?q={four[2].uid}")
    other = await (await person()).open("/alerts/")
    await tick_of(page, four[2]).check()

    await bar(page).get_by_role("button", name="Acknowledge all 1").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Acknowledge: 1 alert")
    await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()

    await expect(row_of(other, four[2])).to_have_attribute("data-ack", "acknowledged")
    await expect(row_of(other, four[1])).to_have_attribute("data-ack", "none")


async def test_the_number_of_matching_alerts_is_updated_live(person: Enter, four: list[Kiosk]):
    page = await (await person()).open("/alerts/?q=UMD")
    await expect(page.locator("#count-matching")).to_have_text("4")

    await fails(four[0], REPAIRED)

    await expect(page.locator("#count-matching")).to_have_text("3")


async def test_alerts_are_selected_and_acknowledged_without_javascript(person: Enter, four: list[Kiosk]):
    page = await (await person(java_script_enabled=False)).open("/alerts/?q=UMD")
    for kiosk in four[:2]:
        await tick_of(page, kiosk).check()
    await bar(page).get_by_role("button", name="Acknowledge", exact=True).click()

    await page.get_by_label("Comment").fill("by hand")
    await page.get_by_role("button", name="Acknowledge").click()

    await expect(page.locator("#main").get_by_role("status").last).to_have_text("Acknowledge: applied to 2 alerts.")
    await page.get_by_role("link", name="Back to the list").click()
    await expect(page.locator("#alerts > li[data-ack=none]")).to_have_count(2)


async def test_on_a_phone_the_selection_bar_is_above_the_navigation(person: Enter, four: list[Kiosk]):
    page = await (await person(size="phone")).open("/alerts/")
    await tick_of(page, four[0]).check()

    navigation = page.get_by_role("navigation", name="Main navigation", exact=True)
    over, under = [box for each in (bar(page), navigation) if (box := await each.bounding_box())]
    assert over["y"] + over["height"] <= under["y"] + 1
    assert over["x"] >= 0
    assert over["x"] + over["width"] <= 390


async def test_a_quick_acknowledgement_needs_no_dialog_and_is_undone_with_a_key(person: Enter, four: list[Kiosk]):
    page = await (await person("tanaka")).open("/alerts/?q=UMD")
    row = row_of(page, four[0])
    await row.get_by_role("link").first.focus()

    await page.keyboard.press("Shift+A")
    await expect(row).to_have_attribute("data-ack", "acknowledged")
    await expect(page.locator("#toasts")).to_contain_text("Acknowledged")
    await expect(page.get_by_role("dialog")).to_have_count(0)

    await page.keyboard.press("z")
    await expect(row).to_have_attribute("data-ack", "none")
    await expect(page.locator("#toasts")).to_contain_text("Acknowledgement undone")
