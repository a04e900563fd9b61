"""Dialogs come and go without taking a person's place."""

from playwright.async_api import Page, expect

from tests.e2e.hand_board import HandBoard

FORM = """<dialog data-modal open>
  <form hx-post="/taken/" hx-target="#dialog"><button autofocus>Take it</button></form>
</dialog>"""


async def test_a_dialog_that_an_answer_brings_is_modal_and_gives_the_place_back_when_an_answer_takes_it(
    board: HandBoard, page: Page
):
    board.answers |= {"/take/": FORM, "/taken/": "<p></p>"}
    board.extra = '<a href="/" hx-get="/take/" hx-target="#dialog">Acknowledge</a><div id="dialog"></div>'
    await page.goto(board.url)
    await board.painted()
    link = page.get_by_role("link", name="Acknowledge", exact=True)
    await link.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog:modal")).to_be_visible()
    await expect(page.get_by_role("button", name="Take it")).to_be_focused()

    await page.keyboard.press("Enter")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(link).to_be_focused()


async def test_a_dialog_in_the_page_opens_and_closes_by_its_buttons(board: HandBoard, page: Page):
    board.extra = '<a href="/help/" data-opens="keys">Keys</a>'
    await page.goto(board.url)

    await page.get_by_role("link", name="Keys").click()
    await expect(page.locator("#keys:modal")).to_be_visible()
    await page.get_by_role("button", name="Close").click()

    await expect(page.locator("#keys")).to_be_hidden()
    await expect(page).to_have_url(board.url)
