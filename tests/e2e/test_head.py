"""What another tab shows, and the clock of the header."""

import re

from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard

CLOCK = '<p class="clock" data-title="Server time,"><time><span></span><span></span></time> <span></span></p>'


ICON = (
    '<link rel="icon" href="/static/img/mark.svg" data-calm="/static/img/mark.svg" data-alarm="/static/img/alarm.svg">'
)


async def test_title_and_icon_of_the_tab_have_the_number_beside_alerts(board: ScriptedBoard, page: Page):
    board.extra = ICON + '<span class="count" id="nav-alerts">2<span class="unseen">critical</span></span>'
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page).to_have_title("(2) Board")
    await expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("alarm"))

    await socket.push('<span class="count" id="nav-alerts" hidden>0<span class="unseen">critical</span></span>')

    await expect(page).to_have_title("Board")
    await expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("mark"))


async def test_the_clock_has_the_zone_of_the_reader(board: ScriptedBoard, page: Page):
    board.extra = CLOCK
    await page.clock.install()

    await page.goto(board.url)

    await expect(page.locator(".clock > span")).to_have_text("JST")
    await expect(page.locator(".clock time span").first).to_have_text(await page.evaluate(TIME))


TIME = (
    """() => new Date().toLocaleTimeString("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" })"""
)
