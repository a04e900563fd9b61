"""The socket of a board: numbers, repaints, coalescing, and coming back."""

from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, expect

from tests.e2e.hand_board import UNSAID, ScriptedBoard, row, total


async def test_the_socket_names_the_page_it_serves(board: ScriptedBoard, page: Page):
    await page.goto(f"{board.url}terminals/?presence=offline&q=a%26b")

    socket = await board.connected()

    assert parse_qs(urlsplit(socket.path).query) == {"page": ["/terminals/?presence=offline&q=a%26b"]}


async def test_a_hole_in_the_numbers_makes_the_browser_ask_once(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push(total("online", 4), skip=1)
    await socket.push(total("online", 3), skip=2)

    assert await socket.ask() == {"ask": "repaint"}
    await expect(page.locator("#total-online")).to_have_text("3 online")
    await expect(page.locator("#proof dd").nth(2)).to_have_text("2")
    await socket.repaint(total("online", 9))
    await expect(page.locator("#total-online")).to_have_text("9 online")
    assert socket.asked.empty()


async def test_the_rows_of_a_repaint_may_be_ordered_by_a_later_frame(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.connected()
    await socket.repaint(row(8) + row(9) + total("online", 7))
    await expect(page.locator("#total-online")).to_have_text("7 online")
    await socket.push(row(9, "offline"))

    await socket.push(ids=[9, 8, 1])

    await expect(page.locator("#terminals > tr th")).to_have_text(["T-9", "T-8", "T-1"])
    await expect(page.locator("#terminal-9 .state")).to_have_text("offline")
    assert socket.asked.empty()


async def test_a_list_may_be_told_by_what_moves(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(ids=[1, 2, 3, 4, 5])

    await socket.push(row(9) + row(8), gone=[3], put=[(9, None), (8, 9), (2, 5)])

    await expect(page.locator("#terminals > tr th")).to_have_text(["T-9", "T-8", "T-1", "T-4", "T-5", "T-2"])
    assert socket.asked.empty()


async def test_what_a_frame_leaves_unsaid_is_nothing_or_what_was_said_before(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(gaps=3, behind_s=7, database={"state": "differs", "at": None})
    await expect(page.locator("#proof dd")).to_have_text(["7 s behind", "0.0 s", "3", "differs"])

    await socket.push(kind="beat", newest_at=UNSAID, behind_s=UNSAID, gaps=UNSAID, database=UNSAID)

    await expect(page.locator("#proof dd")).to_have_text(["Live", "–", "0", "differs"])


async def test_after_a_cut_the_board_comes_back_and_repaints(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await page.get_by_label("Note 2").fill("typed")

    socket.cut()

    await expect(page.locator(":root")).to_have_attribute("data-link", "reconnecting")
    again = await board.connected()
    await again.repaint(row(2, "offline"), ids=[2, 1])
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await expect(page.locator("#terminal-2 .state")).to_have_text("offline")
    await expect(page.get_by_label("Note 2")).to_have_value("typed")
    await expect(page.locator("#waiting")).to_have_attribute("data-waiting", "4")


async def test_a_board_that_is_back_is_not_called_live_before_its_repaint(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    (await board.painted()).cut()
    again = await board.connected()

    await again.push(total("online", 4))

    await expect(page.locator("#total-online")).to_have_text("4 online")
    await expect(page.locator(":root")).to_have_attribute("data-link", "reconnecting")


async def test_every_close_but_one_is_followed_by_a_new_socket(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    for code in (1000, 1011, 4503):
        socket = await board.painted()
        await expect(page.locator(":root")).to_have_attribute("data-link", "live")

        await socket.close(code)

        await expect(page.locator(":root")).to_have_attribute("data-link", "reconnecting")
    await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")


async def test_4401_leads_to_signing_in_and_back(board: ScriptedBoard, page: Page):
    await page.goto(f"{board.url}terminals/?q=a")
    socket = await board.painted()

    await socket.close(4401)

    await expect(page).to_have_url(f"{board.url}sign-in/?next=%2Fterminals%2F%3Fq%3Da")


async def test_a_hidden_tab_goes_on_and_shows_the_newest_state(board: ScriptedBoard, page: Page):
    await page.clock.install()
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await page.evaluate(HIDE)

    for n in range(200):
        await socket.push(row(1, f"state {n}"))
    await socket.push(total("offline", 7))
    # A second passes between frames, and the next one brings what waits; TMS speaks every two seconds by itself.
    while await page.locator("#total-offline").text_content() != "7 offline":
        await page.clock.fast_forward(1000)
        await socket.push()

    await expect(page.locator("#terminal-1 .state")).to_have_text("state 199")
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")


async def test_a_hidden_tab_is_current_the_moment_it_is_seen(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.evaluate(HIDE)
    await socket.push(total("offline", 1))
    await socket.push(total("offline", 2))

    await page.evaluate(SHOW)

    await expect(page.locator("#total-offline")).to_have_text("2 offline")


async def test_many_frames_between_two_pictures_are_applied_as_one(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await page.evaluate(COUNT_WRITES)
    await page.evaluate(HOLD_PICTURES)

    for n in range(50):
        await socket.push(total("online", n))
    # The question about the hole says that all before it was received.
    await socket.push(total("offline", 3), skip=1)
    await socket.ask()
    await page.evaluate("() => { requestAnimationFrame = draw; held.forEach((f) => f(0)); }")

    await expect(page.locator("#total-online")).to_have_text("49 online")
    await expect(page.locator("#total-offline")).to_have_text("3 offline")
    assert await page.evaluate("() => writes") <= 2


async def test_another_address_without_a_load_gets_another_board(board: ScriptedBoard, page: Page):
    board.extra = (
        '<a hx-get="/assets/js/main.js" hx-push-url="/terminals/?q=x" hx-target="#state">Filter</a><p id="state"></p>'
    )
    await page.goto(board.url)
    await board.painted()

    await page.get_by_text("Filter").click()

    again = await board.connected()
    assert parse_qs(urlsplit(again.path).query) == {"page": ["/terminals/?q=x"]}
    await again.repaint(total("online", 1))
    await expect(page.locator("#total-online")).to_have_text("1 online")
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")


# A headless browser shows every tab it has; these say otherwise, and give no animation frames, as a hidden tab does.
HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  globalThis.draw = requestAnimationFrame;
  globalThis.requestAnimationFrame = () => 0;
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => {
  delete document.hidden;
  globalThis.requestAnimationFrame = draw;
  document.dispatchEvent(new Event("visibilitychange"));
}"""
HOLD_PICTURES = """() => {
  globalThis.held = [];
  globalThis.draw = requestAnimationFrame;
  globalThis.requestAnimationFrame = (f) => held.push(f);
}"""
COUNT_WRITES = """() => {
  globalThis.writes = 0;
  new MutationObserver(() => { writes += 1; }).observe(document.querySelector("#total-online"), {
    subtree: true, childList: true, characterData: true,
  });
}"""
