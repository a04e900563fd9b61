"""The pages on which people are managed."""

from playwright.async_api import expect

from tests.e2e.people import Enter
from tests.e2e.seed import EACH
from tests.e2e.seeded_tms import SeededTMS


async def test_a_person_is_found_and_opened_with_the_keyboard(tms: SeededTMS, person: Enter):
    page = await (await person()).open("/people/")

    await page.keyboard.press("/")
    await page.keyboard.type("mori")
    await expect(page).to_have_url(f"{tms.url}/people/?q=mori")
    await expect(page.locator("[data-row]")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.locator("input[type=search]")).to_have_value("mori")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", level=1)).to_have_text("Ren Mori")


async def test_a_form_shows_what_its_grant_would_give(tms: SeededTMS, person: Enter):
    page = await (await person()).open("/people/")

    await page.get_by_label("Role", exact=True).select_option(label="Operator")
    await page.get_by_label("Scope", exact=True).select_option(label="Kanto")

    await expect(page.locator(".grant-preview")).to_contain_text(
        f"Sees 2 sites and {2 * EACH} terminals. May: acknowledge"
    )
