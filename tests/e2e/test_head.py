"""What another tab shows, and the clock of the header."""

from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard

CLOCK = '<p class="clock" data-title="Server time,"><time><span></span><span></span></time> <span></span></p>'


async def test_the_title_of_the_tab_has_the_number_beside_alerts(board: ScriptedBoard, page: Page):
    board.extra = '<span class="count" id="nav-alerts">2<span class="unseen">critical</span></span>'
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page).to_have_title("(2) Board")

    await socket.push('<span class="count" id="nav-alerts" hidden>0<span class="unseen">critical</span></span>')

    await expect(page).to_have_title("Board")


async def test_the_clock_has_the_zone_of_the_reader(board: ScriptedBoard, page: Page):
    board.extra = CLOCK
    await page.clock.install()

    await page.goto(board.url)

    await expect(page.locator(".clock > span")).to_have_text("JST")
    await expect(page.locator(".clock time span").first).to_have_text(await page.evaluate(TIME))


TIME = (
    """() => new Date().toLocaleTimeString("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" })"""
)
