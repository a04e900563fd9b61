"""Rows do not move while a person uses the list, which shows how many moves are pending."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard, row, total

MOVE_INTERVAL_MS = 15_000


def order(page: Page):
    return page.locator("#terminals > tr > th")


async def test_a_list_is_reordered_at_once_without_a_pointer_or_focus_inside(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push(row(9), ids=[9, 3, 1, 2, 5])

    await expect(order(page)).to_have_text(["T-9", "T-3", "T-1", "T-2", "T-5"])
    await expect(page.locator("#waiting")).to_have_text("Up to date")


async def test_an_empty_list_takes_its_first_row_at_once(board: ScriptedBoard, page: Page):
    board.steady = "data-steady"
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(ids=[])
    await expect(order(page)).to_have_count(0)

    await socket.push(row(1), ids=[1])

    await expect(order(page)).to_have_text(["T-1"], timeout=MOVE_INTERVAL_MS / 2)


async def test_with_the_focus_inside_moves_are_pending_and_values_are_updated(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("Note 3").focus()

    await socket.push(row(9) + row(2, "offline") + total("online", 4), ids=[9, 5, 1, 2, 3])

    await expect(page.locator("#waiting")).to_have_attribute("data-waiting", "3")  # 9 appears, 5 moves, 4 vanishes
    await expect(page.locator("#waiting")).to_have_text("3 updates")
    await expect(page.locator("#terminal-2 .state")).to_have_text("offline")
    await expect(page.locator("#total-online")).to_have_text("4 online")
    await expect(order(page)).to_have_text(["T-1", "T-2", "T-3", "T-4", "T-5"])
    await expect(page.locator("#terminal-4")).to_have_attribute("data-gone", "")


async def test_the_row_of_an_incident_never_waits_and_its_members_leave_with_its_arrival(
    board: ScriptedBoard, page: Page
):
    board.steady = "data-steady"
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("Note 3").focus()

    await socket.push(row(9, incident=True), ids=[9, 5, 1, 3])  # 2 and 4 are members now; 5 moves

    await expect(order(page)).to_have_text(["T-9", "T-1", "T-3", "T-5"])
    await expect(page.locator("[data-gone]")).to_have_count(0)
    await expect(page.locator("#waiting")).to_have_text("1 update")
    await expect(page.get_by_label("Note 3")).to_be_focused()

    await socket.push(row(8, incident=True), ids=[8, 5, 1, 3])

    await expect(order(page)).to_have_text(["T-8", "T-1", "T-3", "T-5"])


async def test_a_dot_shows_the_pending_updates_and_the_focus_stays(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    link = page.get_by_role("link", name="T-3")
    await link.focus()
    await socket.push(row(9), ids=[3, 9, 1, 2])
    await expect(page.locator("#waiting")).to_have_attribute("data-waiting", "4")

    await page.keyboard.press(".")

    await expect(order(page)).to_have_text(["T-3", "T-9", "T-1", "T-2"])
    await expect(link).to_be_focused()
    await expect(page.locator("#waiting")).not_to_have_attribute("data-waiting", "4")


async def test_the_bar_shows_the_pending_updates(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("Select T-1").check()
    await socket.push(ids=[5, 4, 3, 2, 1])

    await page.locator("#waiting[data-waiting]").click()

    await expect(order(page)).to_have_text(["T-5", "T-4", "T-3", "T-2", "T-1"])
    await expect(page.get_by_label("Select T-1")).to_be_checked()
    await expect(page).to_have_url(board.url)


async def test_pending_updates_are_applied_when_the_focus_leaves(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("Note 1").fill("typed")
    await socket.push(ids=[2, 1, 3, 4, 5])
    await expect(page.locator("#waiting")).to_have_attribute("data-waiting", "1")
    await page.get_by_label("Search").focus()
    await expect(page.locator("#waiting")).to_have_attribute("data-waiting", "1")

    await page.get_by_label("Note 1").clear()
    await page.get_by_label("Search").focus()

    await expect(order(page)).to_have_text(["T-2", "T-1", "T-3", "T-4", "T-5"])


async def test_a_pointer_on_a_row_holds_the_list(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.locator("#terminal-2 .state").hover()

    await socket.push(ids=[2, 1, 3, 4, 5])

    await expect(page.locator("#waiting")).to_have_text("1 update")
    await page.mouse.move(0, 0)
    await expect(order(page)).to_have_text(["T-2", "T-1", "T-3", "T-4", "T-5"])


async def test_open_details_hold_the_list(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.locator("#terminal-5 summary").click()
    await page.get_by_label("Search").click()

    await socket.push(ids=[5, 1, 2, 3, 4])

    await expect(page.locator("#waiting")).to_have_text("1 update")
    await expect(order(page)).to_have_text(["T-1", "T-2", "T-3", "T-4", "T-5"])


async def test_a_steady_list_moves_once_and_then_waits(board: ScriptedBoard, page: Page):
    board.steady = "data-steady"
    await page.clock.install()
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(ids=[2, 1, 3, 4, 5])
    await expect(order(page)).to_have_text(["T-2", "T-1", "T-3", "T-4", "T-5"])

    await socket.push(row(9) + total("online", 6), ids=[9, 5, 1, 2, 3, 4])

    await expect(page.locator("#total-online")).to_have_text("6 online")
    await expect(page.locator("#waiting")).to_have_text("3 updates")
    await expect(order(page)).to_have_text(["T-2", "T-1", "T-3", "T-4", "T-5"])
    await page.clock.fast_forward(15_000)
    # The row that moved before keeps its position for as long again.
    await expect(page.locator("#terminals > tr")).to_have_count(6)
    await expect(order(page).first).to_have_text("T-2")
    for _ in range(4):
        await page.clock.fast_forward(15_000)
    await expect(order(page)).to_have_text(["T-9", "T-5", "T-1", "T-2", "T-3", "T-4"])


async def test_where_the_order_has_a_meaning_the_text_of_a_row_waits_with_it(board: ScriptedBoard, page: Page):
    board.steady = 'data-steady="order"'
    await page.clock.install()
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(ids=[2, 1, 3, 4, 5])
    await expect(order(page)).to_have_text(["T-2", "T-1", "T-3", "T-4", "T-5"])
    await socket.push(row(2, "offline") + total("online", 4), ids=[2, 1, 3, 4, 5])
    await expect(page.locator("#terminal-2 .state")).to_have_text("offline")  # its position is what it was

    await socket.push(row(5, "silent") + total("online", 3), ids=[5, 2, 1, 3, 4])
    await socket.push(row(4, "silent") + total("online", 2))

    await expect(page.locator("#total-online")).to_have_text("2 online")
    await expect(order(page)).to_have_text(["T-2", "T-1", "T-3", "T-4", "T-5"])
    await expect(page.locator("#terminal-4 .state")).to_have_text("online")
    await expect(page.locator("#terminal-5 .state")).to_have_text("online")
    await page.clock.fast_forward(15_000)
    await expect(order(page)).to_have_text(["T-5", "T-2", "T-1", "T-3", "T-4"])
    await expect(page.locator("#terminal-4 .state")).to_have_text("silent")
    await expect(page.locator("#terminal-5 .state")).to_have_text("silent")


async def test_a_text_that_waits_is_shown_when_the_order_is_reverted(board: ScriptedBoard, page: Page):
    board.steady = 'data-steady="order"'
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("Note 3").focus()
    await socket.push(row(5, "silent"), ids=[5, 1, 2, 3, 4])
    await expect(page.locator("#waiting")).to_have_text("1 update")

    await socket.push(ids=[1, 2, 3, 4, 5])

    await expect(page.locator("#terminal-5 .state")).to_have_text("silent")
    await expect(page.locator("#waiting")).to_have_text("Up to date")


@pytest.mark.parametrize(
    ("severity", "waiting", "first"), [("warning", "1 update", "T-1"), ("critical", "Up to date", "T-5")]
)
async def test_a_row_keeps_its_rank_unless_its_severity_rises(
    board: ScriptedBoard, page: Page, severity: str, waiting: str, first: str
):
    board.steady = "data-steady"
    board.rows = [rated(n, "warning") for n in range(1, 6)]
    await page.clock.install()
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(ids=[1, 2, 5, 3, 4])
    await expect(order(page)).to_have_text(["T-1", "T-2", "T-5", "T-3", "T-4"])

    await socket.push(rated(5, severity), ids=[5, 1, 2, 3, 4])
    await expect(page.locator("#waiting")).to_have_text("1 update")
    await page.clock.fast_forward(16_000)

    await expect(page.locator("#waiting")).to_have_text(waiting)
    await expect(order(page).first).to_have_text(first)


def rated(n: int, severity: str) -> str:
    return row(n).replace("data-row", f'data-row data-severity="{severity}"')


async def test_a_pending_row_appears_in_its_newest_state(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_role("link", name="T-1").focus()
    await socket.push(row(9, "silent"), ids=[9, 1, 2, 3, 4, 5])
    await socket.push(row(9, "offline") + total("offline", 1))
    await expect(page.locator("#total-offline")).to_have_text("1 offline")

    await page.keyboard.press(".")

    await expect(page.locator("#terminal-9 .state")).to_have_text("offline")


async def test_a_reverted_order_leaves_no_pending_updates(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_role("link", name="T-1").focus()
    await socket.push(ids=[1, 2, 3, 4])
    await expect(page.locator("#terminal-5")).to_have_attribute("data-gone", "")

    await socket.push(ids=[1, 2, 3, 4, 5])

    await expect(page.locator("#waiting")).to_have_text("Up to date")
    await expect(page.locator("[data-gone]")).to_have_count(0)


async def test_the_focus_moves_to_the_neighbour_of_a_removed_row(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_role("link", name="T-2").focus()
    await socket.push(ids=[1, 3, 4, 5])
    await expect(page.locator("#waiting")).to_have_text("1 update")

    await page.keyboard.press(".")

    await expect(page.get_by_role("link", name="T-3")).to_be_focused()


async def test_an_unknown_row_in_an_order_makes_the_browser_request_a_repaint(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push(ids=[1, 77, 2, 3, 4, 5])

    assert await socket.next_request() == {"ask": "repaint"}
