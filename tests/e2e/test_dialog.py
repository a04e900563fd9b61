"""Dialogs open and close without losing the focus."""

from playwright.async_api import Page, expect

from tests.e2e.people import Enter
from tests.e2e.scripted_board import ScriptedBoard

FORM = """<dialog data-modal open>
  <form hx-post="/taken/" hx-target="#dialog"><button autofocus>Take it</button></form>
</dialog>"""


async def test_a_dialog_from_an_answer_is_modal_and_returns_the_focus_when_an_answer_removes_it(
    board: ScriptedBoard, page: Page
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


async def test_escape_closes_a_dialog_from_an_answer_and_returns_the_focus(board: ScriptedBoard, page: Page):
    board.answers["/take/"] = FORM
    board.extra = '<a href="/" hx-get="/take/" hx-target="#dialog">Acknowledge</a><div id="dialog"></div>'
    await page.goto(board.url)
    await board.painted()
    link = page.get_by_role("link", name="Acknowledge", exact=True)
    await link.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Take it")).to_be_focused()

    await page.keyboard.press("Escape")

    await expect(link).to_be_focused()


async def test_a_dialog_in_the_page_opens_and_closes_with_its_buttons(board: ScriptedBoard, page: Page):
    board.extra = '<a href="/help/" data-opens="keys">Keyboard shortcuts</a>'
    await page.goto(board.url)

    await page.get_by_role("link", name="Keyboard shortcuts").click()
    await expect(page.locator("#keys:modal")).to_be_visible()
    await page.get_by_role("button", name="Close").click()

    await expect(page.locator("#keys")).to_be_hidden()
    await expect(page).to_have_url(board.url)


async def test_a_menu_closes_with_escape_and_when_the_focus_leaves_it(board: ScriptedBoard, page: Page):
    board.extra = """<details class="menu"><summary>Sound</summary><div><button>Test</button></div></details>
      <button>Next</button>"""
    await page.goto(board.url)
    await board.painted()
    menu, word = page.locator("details.menu"), page.locator("summary", has_text="Sound")
    await word.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Test")).to_be_focused()

    await page.keyboard.press("Escape")
    await expect(word).to_be_focused()
    await expect(menu).not_to_have_attribute("open", "")

    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Next")).to_be_focused()
    await expect(menu).not_to_have_attribute("open", "")


async def test_the_focus_in_a_list_survives_its_replacement_by_an_answer(board: ScriptedBoard, page: Page):
    rows = '<li id="one" data-row><a href="#one">One</a></li><li id="two" data-row><a href="#two">Two</a></li>'
    board.answers["/found/"] = f'<ol id="results">{rows}</ol>'
    board.extra = f"""<button hx-get="/found/" hx-target="#results" hx-swap="outerHTML" hx-trigger="found">Find</button>
      <ol id="results">{rows}</ol>"""
    await page.goto(board.url)
    await board.painted()
    await page.get_by_role("link", name="Two").focus()
    await page.locator("#results").evaluate("list => { list.old = true; }")

    await page.get_by_role("button", name="Find").dispatch_event("found")

    await page.wait_for_function("() => !document.querySelector('#results').old")
    await expect(page.get_by_role("link", name="Two")).to_be_focused()


async def test_on_a_phone_the_other_pages_and_sound_are_a_list_behind_the_fifth_tab(person: Enter):
    page = await (await person(size="phone")).open("/")
    more, sheet = page.get_by_role("button", name="More"), page.locator("#more")
    await expect(sheet).to_be_hidden()

    await more.click()
    await expect(sheet.get_by_role("link", name="Maintenance")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(more).to_be_focused()

    await more.click()
    await sheet.get_by_role("button", name="Sound").click()

    await expect(sheet).to_be_hidden()
    await expect(page.get_by_label("Volume")).to_be_visible()
