"""A number that is pushed without its element."""

from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard, row


def numbered(n: int, value: int) -> str:
    return row(n).replace('class="number">40<', f'class="number"><b id="number-{n}">{value}</b><')


def number(n: int, value: int) -> str:
    return f'<b id="number-{n}">{value}</b>'


async def test_a_number_updates_its_existing_element(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(numbered(2, 41))

    await socket.push(number(2, 42))

    await expect(page.locator("#terminal-2 .number b")).to_have_text("42")
    assert socket.requests.empty()


async def test_a_number_is_updated_in_a_row_with_pending_moves(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_role("link", name="T-3").focus()
    await socket.push(numbered(9, 41), ids=[9, 1, 2, 3, 4, 5])
    await expect(page.locator("#waiting")).to_have_attribute("data-waiting", "1")
    await socket.push(number(9, 42))
    await socket.push(numbered(1, 7))
    await expect(page.locator("#number-1")).to_have_text("7")

    await page.keyboard.press(".")

    await expect(page.locator("#terminal-9 .number b")).to_have_text("42")


async def test_a_number_is_updated_in_a_row_of_a_list_in_sync(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.connected()
    await socket.repaint(numbered(9, 41))
    await socket.push(number(9, 42))

    await socket.push(ids=[9, 1])

    await expect(page.locator("#terminal-9 .number b")).to_have_text("42")


async def test_the_latest_value_wins_in_a_number_or_a_row(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(numbered(2, 1))

    for value in range(2, 12):
        await socket.push(number(2, value))
        await socket.push(numbered(2, 100 + value))

    await expect(page.locator("#number-2")).to_have_text("111")


async def test_the_row_of_a_changed_number_is_tinted_but_not_for_a_reading(board: ScriptedBoard, page: Page):
    board.extra = '<ul><li id="tile"><b id="number-tile">1</b><span class="number" id="reading">1</span></li></ul>'
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push('<span class="number" id="reading">2</span>')
    await expect(page.locator("#reading")).to_have_text("2")
    await expect(page.locator("#tile[data-changed]")).to_have_count(0)
    await socket.push('<b id="number-tile">2</b>')

    await expect(page.locator("#tile[data-changed]")).to_have_count(1)
