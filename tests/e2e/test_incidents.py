"""A site is lost: one row, which can be expanded and acknowledged, and all boards show it."""

import re

from playwright.async_api import expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS


async def test_an_incident_appears_is_expanded_and_acknowledged_live_for_everyone(tms: SeededTMS, person: Enter):
    here = await (await person("tanaka")).open("/alerts/")
    there = await (await person("mori")).open("/alerts/")

    pk = tms.blackout()
    mine, theirs = (page.locator(f"#incident-{pk}") for page in (here, there))
    await expect(theirs).to_contain_text("Sapporo Station: 9 of 9 terminals offline")
    await expect(theirs).to_contain_text("7 alerts still open")

    await theirs.get_by_role("link", name="Expand alerts").click()
    await expect(there).to_have_url(re.compile(rf"expand={pk}"))
    await expect(there.locator("#alerts > [data-member]")).to_have_count(7)

    await mine.get_by_role("link", name="Claim").click()
    await expect(theirs).to_contain_text(re.compile(r"M\. Tanaka\s*claimed,"))
    await expect(theirs).to_have_attribute("data-ack", "none")

    await mine.get_by_role("link", name="Acknowledge").click()
    await expect(theirs.locator(".here .people:visible")).to_have_text("MT M. Tanaka is viewing")
    await here.get_by_label("Comment (visible to everyone").fill("Power cut, calling the site")
    await expect(theirs.locator(".here .people:visible")).to_have_text("MT M. Tanaka is typing")
    await here.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(mine).to_have_attribute("data-ack", "acknowledged")
    await expect(theirs).to_have_attribute("data-ack", "acknowledged")
    await expect(theirs).to_contain_text("Power cut, calling the site")
    await expect(there.locator("#alerts > [data-member][data-ack=acknowledged]")).to_have_count(7)
    await expect(theirs).to_contain_text("M. Tanaka")


async def test_the_page_of_an_incident_shows_its_viewers(tms: SeededTMS, person: Enter):
    pk = tms.blackout("ASH")
    mine = await (await person("tanaka")).open(f"/incidents/{pk}/")
    theirs = await (await person("mori")).open("/")
    row = theirs.locator(f"#incident-{pk}")
    await expect(row.locator(".here .people:visible")).to_have_text("MT M. Tanaka is viewing")

    await row.get_by_role("link", name="Acknowledge").click()
    await expect(mine.locator(".head .here .people:visible")).to_have_text("RM R. Mori is viewing")
    dialog = theirs.get_by_role("dialog")
    await expect(dialog.locator(".here .people:visible")).to_have_text("MT M. Tanaka is viewing")
    await dialog.get_by_label("Comment").press_sequentially("me")

    await expect(mine.locator(".head .here .people:visible")).to_have_text("RM R. Mori is typing")
