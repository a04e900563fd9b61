"""A rollout from its form to its roll back, as a person sees it."""

import re

from playwright.async_api import expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS


async def test_a_rollout_is_previewed_started_stopped_and_rolled_back(tms: SeededTMS, person: Enter):
    artifact = tms.change("artifacts")
    page = await (await person()).open(f"/rollouts/new/?artifact={artifact}&q=site:SJK")

    await expect(page.locator("#preview-targets")).to_contain_text("60")
    await page.locator("#q").fill("site:SJK,UMD")
    await expect(page.locator("#preview-targets")).to_contain_text("120")
    await expect(page.locator("#wave-1-number")).to_have_text("2")
    await page.locator("#q").fill("site:SJK")
    await page.locator("#id_starts_at").fill("2026-01-01 09:00")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#rollout-state")).to_contain_text("Running, wave 1 of 5")

    number = int(re.findall(r"\d+", page.url)[-1])
    tms.change("spoil_rollout", number)
    await expect(page.locator("#rollout-state")).to_contain_text("Stopped in the canary")
    await expect(page.locator("#rollout-evidence")).to_contain_text("105")

    await page.get_by_role("button", name="Roll back 1 terminal").click()
    await expect(page.locator("#rollout-total")).to_have_text("1")
    await expect(page.locator("#rollout-state")).to_contain_text("Rolls back Kiosk-firmware 4.8.3", ignore_case=True)
