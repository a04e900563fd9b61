"""A change of one row costs the browser the work of one row, however long the list is."""

import json

from playwright.async_api import Browser, Page, expect

from benchmarks.paint.trace import CATEGORIES, PaintedChange, painted_changes
from tests.e2e.scripted_board import ScriptedBoard, row

ROWS = 100
IN_PER_CENT = 10
"""A changed row, the header and the bar of updates have fewer elements than that many per cent of the page."""


async def test_a_changed_alert_restyles_and_lays_out_its_row_only(board: ScriptedBoard, page: Page, browser: Browser):
    board.extra = alert_list()
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")

    await start_recording(page, browser)
    await socket.push(alert(50, severity="critical", reason="Printer: none of 3 working"))
    await expect(page.locator("#alert-50")).to_have_attribute("data-severity", "critical")

    assert_of_one_row(await recorded(page, browser), elements=await page.locator("*").count())


async def test_a_changed_terminal_restyles_and_lays_out_its_row_only(
    board: ScriptedBoard, page: Page, browser: Browser
):
    board.rows = [row(n) for n in range(1, ROWS + 1)]
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")

    await start_recording(page, browser)
    await socket.push(row(50, "offline"))
    await expect(page.locator("#terminal-50 .state")).to_have_text("offline")

    assert_of_one_row(await recorded(page, browser), elements=await page.locator("*").count())


async def start_recording(page: Page, browser: Browser) -> None:
    await page.evaluate(NEXT_PAINT)
    await browser.start_tracing(page=page, categories=list(CATEGORIES))


async def recorded(page: Page, browser: Browser) -> PaintedChange:
    await page.evaluate(NEXT_PAINT)
    trace = json.loads(await browser.stop_tracing())
    changes = painted_changes(trace["traceEvents"])
    return max(changes, key=lambda change: change.styled)


def assert_of_one_row(change: PaintedChange, *, elements: int) -> None:
    assert 0 < change.styled < elements * IN_PER_CENT / 100
    assert 0 < change.dirty < change.objects * IN_PER_CENT / 100


def alert_list() -> str:
    rows = "".join(alert(n) for n in range(1, ROWS + 1))
    return (
        '<link rel="stylesheet" href="/static/css/alerts.css"><div class="results" id="results">'
        f'<ol class="alert-list" id="alerts">{rows}</ol>'
        '<form class="foot" id="ticked"><p class="bulk"></p></form></div>'
    )


def alert(n: int, *, severity: str = "warning", reason: str = "") -> str:
    """A row like those of `boards/alerts.html`."""
    impact = f'<p class="impact-reason dotted"><span>{reason}</span></p>' if reason else ""
    return (
        f'<li class="alert" id="alert-{n}" data-row data-severity="{severity}" data-ack="none" data-state="open">'
        f'<div class="pick"><label><input type="checkbox" name="alert" value="{n}" form="ticked"></label></div>'
        '<span class="severity"><svg class="icon"><use href="/static/img/icons.svg#warning"/></svg></span>'
        f'<div class="what"><h3><a href="/alerts/{n}/">Paper low</a></h3>'
        f'<p class="dotted"><a href="/terminals/T-{n}/">T-{n}</a><span>paper 8 %</span></p>{impact}</div>'
        '<div class="since">3 min<small>12:00</small></div><div class="who"><span class="unacknowledged">–</span></div>'
        f'<div class="act"><a class="button" href="#acknowledge-{n}">Acknowledge</a></div>'
        '<details><summary class="fold"><span>History</span></summary>'
        '<ol class="timeline"><li><time>12:00</time><p>Opened</p></li></ol></details></li>'
    )


NEXT_PAINT = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
