"""Contracts are created, changed and ended, also with the keyboard, and all boards show it."""

import re

from playwright.async_api import Page, expect

from tests.e2e.alerts import fails, row_of
from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS


async def test_a_contract_is_made_changed_and_ended_live_for_everyone(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await fails(kiosk)
    here = await (await person("tanaka")).open(f"/alerts/?q={kiosk.uid}")
    there = await (await person("mori")).open("/alerts/")

    await here.keyboard.press("j")
    await here.keyboard.press("a")
    await expect(here.get_by_label("Until recovery")).to_be_checked()
    assert await highlighted(here) == ["Until recovery"]
    await here.get_by_label("Until a set time").check()
    await here.get_by_label("Duration").select_option("for 2 h")
    assert await highlighted(here) == ["Until a set time"]
    await here.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(row_of(there, kiosk).locator(".who small")).to_have_text(re.compile(r"^until (.+ )?\d\d:\d\d"))

    await row_of(there, kiosk).get_by_role("link", name="Change").click()
    await there.get_by_label("Until it gets worse").check()
    await there.get_by_role("dialog").get_by_role("button", name="Change").click()
    await expect(row_of(here, kiosk)).to_contain_text("until it gets worse")

    await here.keyboard.press("j")
    await here.keyboard.press("s")
    await here.get_by_role("dialog").get_by_role("button", name="Snooze").click()
    await expect(row_of(there, kiosk)).to_have_attribute("data-gone", "")
    await expect(there.locator("#count-snoozed")).not_to_have_text("0")
    await kiosk.disconnect()


async def highlighted(page: Page) -> list[str]:
    """The contracts that look chosen: those with another background than most."""
    return (
        await page.get_by_role("dialog")
        .locator(".choice")
        .evaluate_all(
            """(choices) => {
          const colours = choices.map((choice) => getComputedStyle(choice).backgroundColor);
          const usual = colours.find((one, i) => colours.indexOf(one) !== i);
          return choices.filter((_, i) => colours[i] !== usual).map((one) => one.querySelector("label").textContent);
        }"""
        )
    )
