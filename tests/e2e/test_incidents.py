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


async def test_an_outage_that_grows_is_one_row_and_the_badge_never_falls(tms: SeededTMS, person: Enter):
    tanaka = await person("tanaka")
    pages = [await tanaka.open(path) for path in ("/alerts/", "/")]
    for page in pages:
        await page.evaluate(FILM)

    tms.growing_blackout()
    for page in pages:
        await expect(page.get_by_role("link", name="Hakodate Station: 9 of 9 terminals offline")).to_be_visible()

    for page in pages:
        badges, rows = await page.evaluate("() => [film.badges, film.rows]")
        assert badges == sorted(badges)
        assert badges[-1] == badges[0] + 1
        assert [row for row in rows if row.endswith(": Offline")] == []


FILM = """() => {
  window.film = { badges: [], rows: [] };
  const look = () => {
    const badge = document.getElementById("nav-alerts");
    const number = badge.hidden ? 0 : parseInt(badge.textContent);
    if (film.badges.at(-1) !== number) film.badges.push(number);
    for (const title of document.querySelectorAll("#alerts h3, #incidents h3"))
      if (title.textContent.includes("Hakodate")) film.rows.push(title.textContent.trim());
  };
  look();
  const all = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(document.body, all);
}"""
"""The badge, and the rows of the site, after each change of the page."""


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
