"""Terms are made, changed and ended, with the keyboard too, and everybody sees it."""

import re

from playwright.async_api import expect

from tests.e2e.alerts import fails, row_of
from tests.e2e.house import SeededTMS
from tests.e2e.people import Enter


async def test_terms_are_made_changed_and_ended_before_everybody_s_eyes(house: SeededTMS, person: Enter):
    kiosk = await house.terminal()
    await fails(kiosk)
    here = await (await person("tanaka")).open(f"/alerts/?q={kiosk.uid}")
    there = await (await person("mori")).open("/alerts/")

    await here.keyboard.press("j")
    await here.keyboard.press("a")
    await here.get_by_label("Until a set time").check()
    await here.get_by_label("Duration").select_option("for 2 h")
    await here.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(row_of(there, kiosk)).to_contain_text("until")
    await expect(row_of(there, kiosk).locator(".countdown time").last).to_have_text(re.compile(r"^1:59:|^2:00:"))

    await row_of(there, kiosk).get_by_role("link", name="Change").click()
    await there.get_by_label("Until it gets worse").check()
    await there.get_by_role("dialog").get_by_role("button", name="Change").click()
    await expect(row_of(here, kiosk)).to_contain_text("until it gets worse")

    await here.keyboard.press("j")
    await here.keyboard.press("s")
    await here.get_by_role("dialog").get_by_role("button", name="Snooze").click()
    await expect(row_of(there, kiosk)).to_have_attribute("data-gone", "")
    await expect(there.locator("#count-snoozed")).not_to_have_text("0")
    await kiosk.leave()
