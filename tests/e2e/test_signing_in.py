"""Signing in and out."""

from playwright.async_api import Page, expect

from tests.e2e.people import Enter
from tests.e2e.seed import PASSWORD
from tests.e2e.seeded_tms import SeededTMS, live, open_password, sign_in


async def test_a_visitor_signs_in_and_gets_the_requested_page(tms: SeededTMS, page: Page):
    await page.goto(f"{tms.url}/terminals/?presence=offline")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    await sign_in(page, "tanaka")

    await expect(page).to_have_url(f"{tms.url}/terminals/?presence=offline")
    await live(page)
    await expect(page.locator("#proof")).to_contain_text("Live")


async def test_a_wrong_password_is_reported_and_the_name_is_preserved(tms: SeededTMS, page: Page):
    await page.goto(f"{tms.url}/sign-in/")
    await open_password(page)
    await page.get_by_label("Username").fill("mori")
    await page.get_by_label("Password").fill(f"not {PASSWORD}")

    await page.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    await expect(page.get_by_label("Username")).to_have_value("mori")


async def test_signing_out_in_one_window_sends_the_board_in_another_to_the_sign_in_page(tms: SeededTMS, page: Page):
    await page.goto(f"{tms.url}/sign-in/?next=/alerts/")
    await sign_in(page, "mori")
    other = await page.context.new_page()
    await other.goto(f"{tms.url}/terminals/?q=SJK")
    await live(other)

    await page.get_by_role("button", name="Sign out").click()

    await expect(other).to_have_url(f"{tms.url}/sign-in/?next=%2Fterminals%2F%3Fq%3DSJK")


async def test_a_visitor_chooses_a_language_before_signing_in(tms: SeededTMS, page: Page):
    await page.goto(f"{tms.url}/sign-in/")

    await page.get_by_role("button", name="日本語").click()

    await expect(page.locator(":root")).to_have_attribute("lang", "ja")
    await expect(page.get_by_role("heading", name="サインイン")).to_be_visible()


async def test_the_theme_of_a_person_is_applied_after_a_reload(tms: SeededTMS, person: Enter):
    page = await (await person("mori")).open("/help/")

    async with page.expect_response("**/me/theme/"):
        await page.get_by_role("button", name="Theme").click()

    await expect(page.locator(":root")).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(page.locator(":root")).to_have_attribute("data-theme", "light")
