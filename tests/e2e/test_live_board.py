"""Changes in the fleet are shown without a reload."""

from datetime import UTC, datetime

from playwright.async_api import expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS


async def test_a_terminal_appears_changes_and_disappears_without_a_reload(tms: SeededTMS, person: Enter):
    page = await (await person()).open("/terminals/?presence=online")
    await page.evaluate("() => { globalThis.sameLoad = true; }")

    kiosk = await tms.terminal()
    row = page.locator("#terminals > tr", has_text=kiosk.uid)
    await expect(row).to_contain_text("Online")
    await kiosk.send_report(status="degraded", metrics={"temperature_c": 44.0})
    await expect(row).to_contain_text("Degraded")
    await expect(row).to_contain_text("44 °C")
    await kiosk.disconnect()

    await expect(row).to_have_count(0)
    assert await page.evaluate("() => globalThis.sameLoad")


async def test_the_totals_of_the_overview_are_updated_live(tms: SeededTMS, person: Enter):
    page = await (await person()).open("/")
    online = page.locator("#total-online b")
    before = int(await online.inner_text())

    kiosk = await tms.terminal()

    await expect(online).to_have_text(str(before + 1))
    await kiosk.disconnect()
    await expect(online).to_have_text(str(before))


async def test_typing_a_search_narrows_the_list_which_stays_live(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    page = await (await person()).open("/terminals/")

    await page.keyboard.press("/")
    await page.keyboard.type(kiosk.uid)
    await page.keyboard.press("Enter")

    await expect(page.locator("#terminals > tr")).to_have_count(1)
    await expect(page).to_have_url(f"{tms.url}/terminals/?q={kiosk.uid}")
    await kiosk.send_report(status="fault")
    await expect(page.locator("#terminals > tr")).to_contain_text("Fault")
    await expect(page.get_by_role("combobox", name="Search terminals")).to_be_focused()
    await expect(page.get_by_role("combobox", name="Search terminals")).to_have_value(kiosk.uid)
    await kiosk.disconnect()


async def test_the_page_of_a_terminal_updates_its_chart_and_timeline_live(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    await kiosk.send_report(metrics={"temperature_c": 41.0})
    page = await (await person()).open(f"/terminals/{kiosk.uid}/")
    await expect(page.locator("#chart canvas")).to_have_count(2)

    await kiosk.send_report(metrics={"temperature_c": 43.0}, events=[event("door_open", "front door")])

    await expect(page.locator("#chart .plot-head b").first).to_have_text("43 °C")
    await expect(page.locator("#timeline")).to_contain_text("front door")
    await kiosk.call("goodbye", reason="reboot")
    await expect(page.locator("#state")).to_have_attribute("data-presence", "rebooting")
    await kiosk.disconnect()


async def test_a_command_is_sent_and_its_answer_shown(tms: SeededTMS, person: Enter):
    kiosk = await tms.terminal()
    page = await (await person()).open(f"/terminals/{kiosk.uid}/")
    await page.get_by_label("Command", exact=True).select_option("ping")

    await page.get_by_role("button", name="Send").click()

    request = await kiosk.receive()
    await kiosk.send({"jsonrpc": "2.0", "id": request["id"], "result": {"echo": "here I am"}})
    await expect(page.locator("#commands")).to_contain_text("here I am")
    await kiosk.disconnect()


def event(code: str, text: str) -> dict[str, str]:
    return {"at": datetime.now(UTC).isoformat(), "code": code, "severity": "critical", "text": text}
