"""One person acknowledges an alert, and all boards show it."""

from playwright.async_api import expect

from tests.e2e.alerts import REPAIRED, fails, row_of
from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS, live


async def test_an_acknowledgement_in_one_browser_appears_in_another(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
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
    await kiosk.disconnect()


async def test_acknowledging_with_the_keyboard_only(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    page = await (await person()).open("/terminals/")
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await expect(page).to_have_url(f"{tms.url}/alerts/")
    await live(page)
    await page.keyboard.press("/")
    await page.keyboard.type(kiosk.uid)
    await expect(page).to_have_url(f"{tms.url}/alerts/?q={kiosk.uid}")
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
    await kiosk.disconnect()


async def test_a_comment_being_typed_survives_an_acknowledgement_by_another_person(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    slow = await (await person("tanaka")).open("/alerts/")
    quick = await (await person("mori")).open("/alerts/")
    await row_of(slow, kiosk).get_by_role("link", name="Acknowledge").click()
    await slow.get_by_label("Comment").fill("I am looking at")

    await row_of(quick, kiosk).get_by_role("link", name="Acknowledge").click()
    await quick.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(row_of(slow, kiosk)).to_have_attribute("data-ack", "acknowledged")

    await expect(slow.get_by_label("Comment")).to_have_value("I am looking at")
    await expect(slow.get_by_role("dialog")).to_contain_text("R. Mori has just acknowledged it")
    await expect(slow.get_by_role("dialog").get_by_role("button", name="Acknowledge")).to_be_hidden()
    await slow.get_by_role("dialog").get_by_role("button", name="Post as comment").click()

    await expect(slow.get_by_role("dialog")).to_have_count(0)
    await expect(row_of(quick, kiosk)).to_contain_text("I am looking at")
    await expect(row_of(slow, kiosk).locator(".who")).to_contain_text("R. Mori")
    await kiosk.disconnect()


async def test_a_recovery_removes_the_alert_from_the_list(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    page = await (await person()).open("/alerts/")
    await expect(row_of(page, kiosk)).to_have_count(1)

    await fails(kiosk, REPAIRED)

    await expect(row_of(page, kiosk)).to_have_count(0)
    await kiosk.disconnect()


async def test_alerts_are_listed_and_acknowledged_without_javascript(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    page = await (await person(java_script_enabled=False)).open("/alerts/")
    await row_of(page, kiosk).get_by_role("link", name="Acknowledge").click()

    await page.get_by_label("Comment").fill("by hand")
    await page.get_by_role("button", name="Acknowledge").click()

    await page.goto(f"{tms.url}/alerts/")
    await expect(row_of(page, kiosk)).to_contain_text("Tanaka")
    await expect(row_of(page, kiosk)).to_contain_text("by hand")
    await kiosk.disconnect()
