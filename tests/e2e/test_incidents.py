"""A site is lost: one row, which unfolds, and which one person takes before everybody's eyes."""

import re

from playwright.async_api import expect

from tests.e2e.conftest import Enter
from tests.e2e.house import House


async def test_an_incident_appears_unfolds_and_is_taken_before_everybody_s_eyes(house: House, person: Enter):
    here = await (await person("tanaka")).open("/alerts/")
    there = await (await person("mori")).open("/alerts/")

    pk = house.blackout()
    mine, theirs = (page.locator(f"#incident-{pk}") for page in (here, there))
    await expect(theirs).to_contain_text("9 of 9 lost at Sapporo Station")
    await expect(theirs).to_contain_text("7 alerts still open")

    await theirs.get_by_role("link", name="Show its alerts").click()
    await expect(there).to_have_url(re.compile(rf"unfold={pk}"))
    await expect(there.locator("#alerts > [data-member]")).to_have_count(7)

    await mine.get_by_role("link", name="Acknowledge").click()
    await here.get_by_label("Comment, seen by everyone").fill("Power cut, calling the site")
    await here.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(mine).to_have_attribute("data-ack", "held")
    await expect(theirs).to_have_attribute("data-ack", "held")
    await expect(theirs).to_contain_text("Power cut, calling the site")
    await expect(there.locator("#alerts > [data-member][data-ack=held]")).to_have_count(7)
    await expect(theirs).to_contain_text("M. Tanaka")
