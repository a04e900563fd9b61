"""The global search, in a browser: opened and used with the keyboard alone."""

import asyncio
import re

from playwright.async_api import Page, Route, expect

from tests.e2e.axe import barriers, search
from tests.e2e.people import Enter
from tests.e2e.seeded_tms import live


def chosen(page: Page):
    return page.locator("#palette [role=option][aria-selected=true]")


def after(event: asyncio.Event):
    async def go_on(route: Route) -> None:
        await event.wait()
        await route.continue_()

    return go_on


async def test_a_terminal_is_opened_with_a_few_keys_on_any_page(tms, person: Enter):
    uid = tms.unused_uid()
    page = await (await person()).open("/terminals/")
    await page.locator("#q").focus()

    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Search or run a command")).to_be_focused()
    await page.keyboard.type(uid)
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(re.compile(f"/terminals/{uid}/$"))
    await live(page)
    await page.keyboard.press("Control+k")
    await expect(page.locator("#found-recent-1")).to_contain_text(uid)


async def test_enter_counts_although_the_completions_are_loaded_after_it(tms, person: Enter):
    uid = tms.unused_uid()
    page = await (await person()).open("/rules/")
    loaded, found = asyncio.Event(), asyncio.Event()
    await page.route(re.compile(r"/js/.*query.*\.js"), after(loaded))
    await page.route(re.compile(f"/search/.*{uid}"), after(found))

    await page.keyboard.press("Control+k")
    await page.keyboard.type(uid)
    await page.keyboard.press("Enter")
    loaded.set()
    await expect(page.locator("#palette input[name=q]")).to_have_attribute("aria-controls", "found palette-completions")
    found.set()

    await expect(page).to_have_url(re.compile(f"/terminals/{uid}/$"))


async def test_slash_opens_it_where_the_page_has_no_search_and_escape_returns_the_focus(person: Enter):
    page = await (await person()).open("/rules/")
    link = page.locator(".rail-link").first
    await link.focus()

    await page.keyboard.press("/")
    await page.keyboard.type("zzz")
    await expect(page.locator("#palette [role=status]")).to_have_text("0 results")
    await page.keyboard.press("Escape")

    await expect(page.locator("#palette")).to_be_hidden()
    await expect(link).to_be_focused()


async def test_enter_that_ends_a_composition_opens_nothing(person: Enter):
    page = await (await person()).open("/rules/")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("alerts")
    await expect(chosen(page)).to_contain_text("Alerts")

    field = page.locator("#palette input[name=q]")
    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})

    await expect(page.locator("#palette")).to_be_visible()
    await expect(page).to_have_url(re.compile("/rules/$"))


async def test_tab_lists_the_actions_of_a_hit_and_enter_opens_one(tms, person: Enter):
    page = await (await person()).open("/rules/")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("sjk")
    await expect(chosen(page)).to_contain_text("SJK")

    await page.keyboard.press("Tab")
    await expect(chosen(page)).to_contain_text("Plan maintenance for")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(re.compile(r"/maintenance/new/\?site=SJK$"))


async def test_the_dialog_fills_a_phone_and_has_no_barrier(person: Enter):
    page = await (await person(size="phone")).open("/")
    await page.locator(".find").click()
    await expect(chosen(page)).to_be_visible()

    assert await barriers(page, search("#palette")) == []
    box = await page.locator("#palette").bounding_box()
    assert box
    assert (box["width"], box["height"]) == (390, 844)
    rows = await page.locator("#palette [role=option]").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert min(rows) >= 44


async def test_a_theme_is_chosen_in_it(person: Enter):
    page = await (await person()).open("/rules/")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("theme light")
    await expect(chosen(page)).to_contain_text("Theme: light")

    async with page.expect_response("**/me/theme/"):
        await page.keyboard.press("Enter")

    await expect(page.locator(":root")).to_have_attribute("data-theme", "light")
    await expect(page.locator("#palette")).to_be_hidden()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("theme system")
    await expect(chosen(page)).to_contain_text("Theme: as the system")
    await page.keyboard.press("Enter")
    await expect(page.locator(":root")).not_to_have_attribute("data-theme", re.compile(".*"))


async def test_a_query_is_completed_and_opens_the_list_of_what_it_selects(person: Enter):
    page = await (await person()).open("/rules/")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("kind:k")
    completion = page.locator("#palette-completions [role=option]")
    await expect(completion.first).to_contain_text("kiosk")

    await page.keyboard.press("Tab")
    await expect(completion).to_have_count(0)
    await expect(page.locator("#palette input[name=q]")).to_have_value("kind:kiosk ")
    await expect(chosen(page)).to_contain_text("match: open the list")
    await page.keyboard.press("Tab")
    await expect(chosen(page)).to_contain_text("Send a command…")
    await page.keyboard.press("Backspace")
    await page.keyboard.type("kind:kiosk")
    await expect(chosen(page)).to_contain_text("match: open the list")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(re.compile(r"/terminals/\?q=kind%3Akiosk$"))
