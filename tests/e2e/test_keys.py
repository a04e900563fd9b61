"""Everything on a board can be done with the keyboard."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard


@pytest.fixture
def rows(page: Page):
    return lambda n: page.locator(f"#terminal-{n} th a")


async def test_j_and_k_move_from_row_to_row(board: ScriptedBoard, page: Page, rows):
    await page.goto(board.url)
    await board.painted()

    for key in "jjjk":
        await page.keyboard.press(key)

    await expect(rows(2)).to_be_focused()


async def test_x_selects_the_row_and_escape_clears_the_selection(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    await board.painted()

    await page.keyboard.press("j")
    await page.keyboard.press("x")

    await expect(page.get_by_label("Select T-1")).to_be_checked()
    await expect(page.get_by_label("Only critical")).not_to_be_checked()
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Select T-1")).not_to_be_checked()


async def test_a_acknowledges_the_focused_row(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    await board.painted()

    for key in "jja":
        await page.keyboard.press(key)

    await expect(page).to_have_url(f"{board.url}#acknowledged-2")


async def test_slash_focuses_the_search_and_escape_leaves_it(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    await board.painted()

    await page.keyboard.press("/")
    await page.keyboard.type("j/x")

    search = page.get_by_label("Search")
    await expect(search).to_have_value("j/x")
    await page.keyboard.press("Escape")
    await expect(search).not_to_be_focused()


async def test_a_question_mark_shows_the_shortcuts_and_escape_closes_them(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    await board.painted()

    await page.keyboard.press("?")

    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize(("key", "path"), [("o", ""), ("t", "terminals/"), ("a", "alerts/")])
async def test_g_opens_a_page(board: ScriptedBoard, page: Page, key: str, path: str):
    await page.goto(f"{board.url}elsewhere/")
    await board.painted()

    await page.keyboard.press("g")
    await page.keyboard.press(key)

    await expect(page).to_have_url(f"{board.url}{path}")


async def test_keys_with_a_modifier_are_left_to_the_browser(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    await board.painted()

    await page.keyboard.press("Control+j")

    await expect(page.locator("body")).to_be_focused()
