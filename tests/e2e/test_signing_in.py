"""Who may come in, and where they come out."""

from playwright.async_api import Page, expect

from tests.e2e.house import SeededTMS, live, sign_in
from tests.e2e.people import Enter
from tests.e2e.seed import PASSWORD


async def test_a_visitor_signs_in_and_comes_to_the_page_that_was_asked_for(house: SeededTMS, page: Page):
    await page.goto(f"{house.url}/terminals/?presence=offline")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    await sign_in(page, "tanaka")

    await expect(page).to_have_url(f"{house.url}/terminals/?presence=offline")
    await live(page)
    await expect(page.locator("#proof")).to_contain_text("Live")


async def test_a_wrong_password_is_said_and_the_name_is_kept(house: SeededTMS, page: Page):
    await page.goto(f"{house.url}/sign-in/")
    await page.get_by_label("Username").fill("mori")
    await page.get_by_label("Password").fill(f"not {PASSWORD}")

    await page.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    await expect(page.get_by_label("Username")).to_have_value("mori")


async def test_signing_out_in_one_window_takes_the_board_of_the_other_to_the_sign_in_page(house: SeededTMS, page: Page):
    await page.goto(f"{house.url}/sign-in/?next=/alerts/")
    await sign_in(page, "mori")
    other = await page.context.new_page()
    await other.goto(f"{house.url}/terminals/?q=SJK")
    await live(other)

    await page.get_by_role("button", name="Sign out").click()

    await expect(other).to_have_url(f"{house.url}/sign-in/?next=%2Fterminals%2F%3Fq%3DSJK")


async def test_a_visitor_chooses_a_language_before_signing_in(house: SeededTMS, page: Page):
    await page.goto(f"{house.url}/sign-in/")

    await page.get_by_role("button", name="日本語").click()

    await expect(page.locator(":root")).to_have_attribute("lang", "ja")
    await expect(page.get_by_role("button", name="サインイン")).to_be_visible()


async def test_the_theme_a_person_chose_is_there_after_a_reload(house: SeededTMS, person: Enter):
    page = await (await person("mori")).open("/help/")

    async with page.expect_response("**/me/theme/"):
        await page.get_by_role("button", name="Theme").click()

    await expect(page.locator(":root")).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(page.locator(":root")).to_have_attribute("data-theme", "light")
