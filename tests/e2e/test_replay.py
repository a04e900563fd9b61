"""A night is replayed: with the slider, with its keys, by playing, and from event to event."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from playwright.async_api import Page, expect

from tests.e2e.seeded_tms import Person, SeededTMS, sign_in_as


def moment(at: datetime) -> str:
    return f"/?at={quote(at.isoformat())}&range=1h"


async def test_a_night_is_replayed_by_hand_and_played(tms: SeededTMS, browser, faults: list[str]):
    opened_at = tms.night()
    tanaka: Person = await sign_in_as(browser, tms, "tanaka")
    await tanaka.context.clock.install()
    page: Page = await tanaka.open(moment(opened_at - timedelta(minutes=1)))
    incident, slider = page.locator("#incidents li", has_text="Nemuro"), page.get_by_role("slider", name="Instant")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.resource_type == "fetch" else None)
    await expect(page.get_by_role("button", name="Play")).to_be_visible()
    await expect(incident).to_have_count(0)

    # From event to event.
    await page.keyboard.press("]")
    await expect(incident).to_contain_text("Unacknowledged")
    await expect(page.locator("#known")).to_contain_text("What we knew")
    await expect(page).to_have_url(re.compile(f"at={quote(f'{opened_at:%Y-%m-%dT%H:%M:%S}Z')}&"))

    # By the keys of the slider: one request when the hand rests.
    before = len(requests)
    await slider.focus()
    await page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=5))  # a busy machine would rest between the keys
    for _ in range(6):
        await page.keyboard.press("ArrowRight")
    await page.clock.run_for(200)
    await expect(incident).to_contain_text("Tanaka")
    assert len(requests) - before == 1
    value = await slider.get_attribute("aria-valuetext") or ""
    assert "changes" in value

    # Played until it is over, five minutes in half a second, and paused.
    await page.get_by_text("600×").click()
    await slider.focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await page.clock.run_for(500)
    await expect(incident).to_have_count(0)
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Play")).to_be_visible()

    await page.clock.resume()
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(f"{tms.url}/")
    await expect(page.locator("html[data-board-socket]")).to_be_attached()
    await tanaka.context.close()
