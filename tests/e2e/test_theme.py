"""Dark and light change at once, and are saved on the server."""

from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard


async def test_the_theme_changes_without_a_reload(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    await board.painted()
    await page.get_by_label("Search").fill("typed")

    async with page.expect_request("**/me/theme/") as result:
        await page.get_by_role("button", name="Theme").click()

    assert "light" in ((await result.value).post_data or "")
    await expect(page.locator(":root")).to_have_attribute("data-theme", "light")
    await expect(page.get_by_label("Search")).to_have_value("typed")
