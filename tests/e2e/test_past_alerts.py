"""Past alerts and the shift digest."""

import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect


async def test_a_search_narrows_while_typing_and_its_url_shows_a_colleague_the_same(person, tms):
    kiosk, other = await tms.terminal("SJK"), await tms.terminal("UMD")
    for one in (kiosk, other):
        await one.send_report(status="fault", metrics={"paper_pct": 3.0})
    tanaka, mori = await person("tanaka"), await person("mori")
    page = await tanaka.open("/alerts/past/")
    rows = page.locator("tbody tr")
    await expect(rows.filter(has_text=other.uid)).not_to_have_count(0)

    await page.keyboard.press("/")
    await page.keyboard.type(kiosk.uid)

    await expect(rows.filter(has_text=other.uid)).to_have_count(0)
    await expect(rows.filter(has_text=kiosk.uid)).not_to_have_count(0)
    await expect(page).to_have_url(re.compile(rf"/alerts/past/\?q={kiosk.uid}$"))
    seen = (await mori.open(page.url.removeprefix(tms.url))).locator("tbody tr")
    await expect(seen.filter(has_text=kiosk.uid)).not_to_have_count(0)
    await expect(seen.filter(has_text=other.uid)).to_have_count(0)


async def test_a_typed_time_is_in_the_time_zone_of_the_browser(person):
    page = await (await person("tanaka", timezone_id="Europe/Berlin")).open("/digest/")

    await page.get_by_label("From", exact=True).fill("2026-11-25T06:00")
    await page.get_by_label("To", exact=True).fill("2026-11-25T14:00")
    await page.get_by_role("button", name="Show").click()

    await expect(page.locator(".digest-head")).to_contain_text(
        re.compile("25 Nov (2026 )?06:00 – 25 Nov (2026 )?14:00")
    )
    await expect(page.locator(".digest-head")).to_contain_text("Europe/Berlin")


async def test_a_note_is_written_and_copied_with_the_rest(person):
    tanaka = await person("tanaka", permissions=["clipboard-read", "clipboard-write"])
    await tanaka.context.clock.install()
    page = await tanaka.open("/digest/")
    await page.get_by_label("Note for the next shift").fill("The router at Umeda was swapped")

    await page.get_by_role("button", name="Add note").click()
    await expect(page.locator(".digest-notes")).to_contain_text("The router at Umeda was swapped")
    await page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=5))  # the mark disappears after two seconds
    await page.get_by_role("button", name="Copy as Markdown").click()

    await expect(page.locator("[data-copied]")).to_have_count(1)
    assert "M. Tanaka: The router at Umeda was swapped" in await page.evaluate("navigator.clipboard.readText()")
