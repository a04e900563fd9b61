"""One person takes an alert, everybody sees it."""

from playwright.async_api import expect

from tests.e2e.alerts import REPAIRED, fails, row_of
from tests.e2e.house import SeededTMS, live
from tests.e2e.people import Enter


async def test_acknowledging_in_one_browser_shows_in_another(house: SeededTMS, person: Enter):
    kiosk = await house.terminal()
    here = await (await person("tanaka")).open("/alerts/")
    there = await (await person("mori")).open("/")
    await fails(kiosk)
    await expect(row_of(there, kiosk)).to_contain_text("Unacknowledged")

    await row_of(here, kiosk).get_by_role("link", name="Acknowledge").click()
    await here.get_by_label("Comment").fill("on my way")
    await here.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()

    for page in (here, there):
        await expect(row_of(page, kiosk)).to_have_attribute("data-ack", "acknowledged")
        await expect(row_of(page, kiosk)).to_contain_text("Tanaka")
        await expect(row_of(page, kiosk)).to_contain_text("on my way")
    await expect(here.get_by_role("dialog")).to_have_count(0)
    await kiosk.leave()


async def test_with_the_keyboard_alone(house: SeededTMS, person: Enter):
    kiosk = await house.terminal()
    await fails(kiosk)
    page = await (await person()).open("/terminals/")
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await expect(page).to_have_url(f"{house.url}/alerts/")
    await live(page)
    await page.keyboard.press("/")
    await page.keyboard.type(kiosk.uid)
    await expect(page).to_have_url(f"{house.url}/alerts/?q={kiosk.uid}")
    await expect(page.locator(".htmx-request")).to_have_count(0)
    await page.keyboard.press("Escape")

    await page.keyboard.press("j")
    await page.keyboard.press("a")
    await expect(page.get_by_label("Comment")).to_be_focused()
    await page.keyboard.type("with both hands")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(row_of(page, kiosk)).to_have_attribute("data-ack", "acknowledged")
    await expect(row_of(page, kiosk).locator(":focus")).to_have_count(1)
    await kiosk.leave()


async def test_a_comment_being_typed_survives_that_somebody_else_is_first(house: SeededTMS, person: Enter):
    kiosk = await house.terminal()
    await fails(kiosk)
    slow = await (await person("tanaka")).open("/alerts/")
    quick = await (await person("mori")).open("/alerts/")
    await row_of(slow, kiosk).get_by_role("link", name="Acknowledge").click()
    await slow.get_by_label("Comment").fill("I am looking at")

    await row_of(quick, kiosk).get_by_role("link", name="Acknowledge").click()
    await quick.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(row_of(slow, kiosk)).to_have_attribute("data-ack", "acknowledged")

    await expect(slow.get_by_label("Comment")).to_have_value("I am looking at")
    await slow.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(slow.get_by_role("dialog")).to_contain_text("already acknowledged it")
    await expect(slow.get_by_label("Comment")).to_have_value("I am looking at")
    await kiosk.leave()


async def test_a_recovery_takes_the_alert_off_the_list(house: SeededTMS, person: Enter):
    kiosk = await house.terminal()
    await fails(kiosk)
    page = await (await person()).open("/alerts/")
    await expect(row_of(page, kiosk)).to_have_count(1)

    await fails(kiosk, REPAIRED)

    await expect(row_of(page, kiosk)).to_have_count(0)
    await kiosk.leave()


async def test_without_javascript_one_reads_and_acknowledges(house: SeededTMS, person: Enter):
    kiosk = await house.terminal()
    await fails(kiosk)
    page = await (await person(java_script_enabled=False)).open("/alerts/")
    await row_of(page, kiosk).get_by_role("link", name="Acknowledge").click()

    await page.get_by_label("Comment").fill("by hand")
    await page.get_by_role("button", name="Acknowledge").click()

    await page.goto(f"{house.url}/alerts/")
    await expect(row_of(page, kiosk)).to_contain_text("Tanaka")
    await expect(row_of(page, kiosk)).to_contain_text("by hand")
    await kiosk.leave()
