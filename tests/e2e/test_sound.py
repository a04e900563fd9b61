"""New alerts play a sound, counted by the oscillators that start."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.alerts import REPAIRED, fails, row_of
from tests.e2e.people import Enter
from tests.e2e.seeded_tms import Person, SeededTMS

CRITICAL = 4
"""Notes of its sound."""
COUNT = """
    globalThis.notes = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) { globalThis.notes += 1; return start.apply(this, when); };
"""


async def listening(person: Person, path: str = "/alerts/", *, click: bool = True) -> Page:
    """A page on which notes are counted."""
    await person.context.add_init_script(COUNT)
    page = await person.open(path)
    if click:
        await page.locator("h1").click()
        await expect(page.locator("#sound")).to_have_attribute("data-sound", "on")
    return page


async def notes(page: Page) -> int:
    return int(await page.evaluate("globalThis.notes"))


async def expect_notes(page: Page, number: int) -> None:
    await page.wait_for_function("number => globalThis.notes === number", arg=number)


async def test_a_new_critical_alert_sounds_on_every_page_and_existing_alerts_do_not(tms: SeededTMS, person: Enter):
    old, new = await tms.terminal(), await tms.terminal()
    alerts = await listening(await person("tanaka"))
    await fails(old)
    await expect_notes(alerts, CRITICAL)  # from now on the page below is opened with the alarm of `old`
    terminals = await listening(await person("mori"), "/terminals/")
    before = await notes(terminals)

    await fails(new)

    await expect_notes(terminals, CRITICAL)
    assert before == 0
    for kiosk in (old, new):
        await fails(kiosk, REPAIRED)
        await kiosk.disconnect()


async def test_several_alerts_at_once_are_one_sound(tms: SeededTMS, person: Enter):
    kiosks = [await tms.terminal() for _ in range(4)]
    page = await listening(await person("tanaka"))

    for kiosk in kiosks:
        await fails(kiosk)
    for kiosk in kiosks:
        await expect(row_of(page, kiosk)).to_have_count(1)

    await expect_notes(page, CRITICAL)
    for kiosk in kiosks:
        await fails(kiosk, REPAIRED)
        await kiosk.disconnect()


async def test_muting_is_remembered_by_the_browser(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    tanaka = await person("tanaka")
    page = await listening(tanaka)
    await page.keyboard.press("q")
    await expect(page.locator("#sound")).to_have_attribute("data-sound", "off")

    await fails(kiosk)
    await expect(row_of(page, kiosk)).to_have_count(1)

    other = await tanaka.open("/")
    await expect(other.locator("#sound")).to_have_attribute("data-sound", "off")
    assert await notes(page) == 0
    await other.keyboard.press("q")
    await expect(page.locator("#sound")).to_have_attribute("data-sound", "on")
    await fails(kiosk, REPAIRED)
    await kiosk.disconnect()


STORAGES = {
    "forbidden": "Object.defineProperty(globalThis, 'localStorage', { get() { throw new DOMException('no'); } });",
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };",
    "damaged": "localStorage.setItem('tms-sound', '{'); sessionStorage.setItem('tms-ringing', '7');",
    "foreign": """localStorage.setItem('tms-sound', '{"volume": "loud", "isOn": 1}');""",
}


@pytest.mark.parametrize("storage", STORAGES)
async def test_a_board_is_live_and_sounds_without_a_usable_storage(tms: SeededTMS, person: Enter, storage: str):
    kiosk = await tms.terminal()
    tanaka = await person("tanaka")
    await tanaka.context.add_init_script(f"if (origin !== 'null') {{ {STORAGES[storage]} }}")  # not on about:blank
    page = await listening(tanaka)

    await fails(kiosk)

    await expect_notes(page, CRITICAL)
    await page.keyboard.press("q")
    await expect(page.locator("#sound")).to_have_attribute("data-sound", "off")
    await fails(kiosk, REPAIRED)
    await kiosk.disconnect()


async def test_a_critical_alert_sounds_until_it_is_acknowledged(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    tanaka = await person("tanaka")
    await tanaka.context.clock.install()
    page = await listening(tanaka)
    await fails(kiosk)
    await expect_notes(page, CRITICAL)

    await page.clock.run_for(61_000)
    await expect_notes(page, 2 * CRITICAL)

    element = await row_of(page, kiosk).get_attribute("id") or ""
    mark = re.compile(rf"\ba{element.removeprefix('alert-')}\.")
    alarms = page.locator("#sound-alarms-critical")
    await expect(alarms).to_have_attribute("data-marks", mark)
    await row_of(page, kiosk).get_by_role("link", name="Acknowledge").click()
    await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(row_of(page, kiosk)).to_have_attribute("data-ack", "acknowledged")
    # The row is from the answer, the mark disappears with a later frame.
    await expect(alarms).not_to_have_attribute("data-marks", mark)
    await page.clock.run_for(90_000)
    assert await notes(page) == 2 * CRITICAL
    await fails(kiosk, REPAIRED)
    await kiosk.disconnect()


async def test_before_the_first_click_the_page_shows_that_sound_is_off(tms: SeededTMS, person: Enter):
    page = await listening(await person("tanaka"), click=False)

    await expect(page.locator("#sound")).to_have_attribute("data-sound", "locked")
    await expect(page.locator("#sound")).to_contain_text("Click to enable sound")

    await page.locator("h1").click()

    await expect(page.locator("#sound")).to_have_attribute("data-sound", "on")
