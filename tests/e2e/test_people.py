"""Viewers of an alert, and who is typing, in the browsers of colleagues."""

import re

from playwright.async_api import Locator, Page, expect

from tests.e2e.alerts import fails, row_of
from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS


def here(page: Page, uid: str) -> Locator:
    return page.locator("[data-row]").filter(has_text=uid).locator(".here .people:visible")


async def test_a_colleague_sees_who_is_viewing_or_typing_and_who_left(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    mine = await (await person("tanaka")).open(f"/alerts/?q={kiosk.uid}")
    theirs = await (await person("mori")).open("/")

    await mine.keyboard.press("j")
    await expect(here(theirs, kiosk.uid)).to_have_text("MT M. Tanaka is viewing")
    await expect(here(mine, kiosk.uid)).to_have_count(0)

    await mine.keyboard.press("a")
    await mine.get_by_label("Comment").press_sequentially("on my")
    await expect(here(theirs, kiosk.uid)).to_have_text("MT M. Tanaka is typing")

    await mine.close()
    await expect(here(theirs, kiosk.uid)).to_have_count(0)
    await kiosk.disconnect()


async def test_a_dialog_shows_other_viewers_of_its_alert(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    mine = await (await person("tanaka")).open(f"/alerts/?q={kiosk.uid}")
    theirs = await (await person("mori")).open(f"/alerts/?q={kiosk.uid}")
    await mine.keyboard.press("j")
    await mine.keyboard.press("a")
    people = mine.get_by_role("dialog").locator(".here .people:visible")

    await theirs.keyboard.press("j")
    await expect(people).to_have_text("RM R. Mori is viewing")
    await theirs.keyboard.press("a")
    await theirs.get_by_label("Comment").press_sequentially("me")
    await expect(people).to_have_text("RM R. Mori is typing")
    await theirs.close()

    await expect(people).to_have_count(0)
    await kiosk.disconnect()


async def test_the_page_of_an_alert_shows_its_viewers(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    mine = await (await person("tanaka")).open("/alerts/")
    await row_of(mine, kiosk).get_by_role("heading").get_by_role("link").click()
    theirs = await (await person("mori")).open("/alerts/")
    await expect(here(theirs, kiosk.uid)).to_contain_text("M. Tanaka is viewing")

    await row_of(theirs, kiosk).locator("summary").click()

    await expect(mine.locator(".head .here .people:visible")).to_have_text("RM R. Mori is viewing")
    await kiosk.disconnect()


async def test_a_person_with_another_tab_in_front_is_not_viewing(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    tanaka = await person("tanaka")
    mine = await tanaka.open(f"/alerts/?q={kiosk.uid}")
    theirs = await (await person("mori")).open("/alerts/")
    await mine.keyboard.press("j")
    await expect(here(theirs, kiosk.uid)).to_have_count(1)

    await mine.evaluate(HIDE, True)
    await expect(here(theirs, kiosk.uid)).to_have_count(0)
    await mine.evaluate(HIDE, False)
    await expect(here(theirs, kiosk.uid)).to_have_count(1)
    await kiosk.disconnect()


async def test_colleagues_see_a_claim_made_with_one_key_and_may_take_over(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    mine = await (await person("tanaka")).open(f"/alerts/?q={kiosk.uid}")
    theirs = await (await person("mori")).open(f"/alerts/?q={kiosk.uid}")

    await mine.keyboard.press("j")
    await mine.keyboard.press("c")
    await expect(row_of(theirs, kiosk)).to_contain_text(re.compile(r"M\. Tanaka\s*claimed,"))
    await expect(row_of(theirs, kiosk).locator(".countdown time")).to_have_text(re.compile(r"^0?9:5|^10:00"))
    await theirs.keyboard.press("j")
    await theirs.keyboard.press("c")

    await expect(row_of(mine, kiosk)).to_contain_text(re.compile(r"R\. Mori\s*claimed,"))
    await expect(row_of(mine, kiosk)).to_have_attribute("data-ack", "none")
    await kiosk.disconnect()


HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
