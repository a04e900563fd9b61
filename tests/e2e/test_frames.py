"""The socket of a board: frame numbers, repaints, coalescing, reconnects."""

from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, expect

from tests.e2e.scripted_board import OMITTED, ScriptedBoard, row, total


async def test_the_socket_names_the_page_it_serves(board: ScriptedBoard, page: Page):
    await page.goto(f"{board.url}terminals/?presence=offline&q=a%26b")

    socket = await board.connected()

    assert parse_qs(urlsplit(socket.path).query) == {"page": ["/terminals/?presence=offline&q=a%26b"]}


async def test_a_gap_in_the_numbers_makes_the_browser_request_one_repaint(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push(total("online", 4), skip=1)
    await socket.push(total("online", 3), skip=2)

    assert await socket.next_request() == {"ask": "repaint"}
    await expect(page.locator("#total-online")).to_have_text("3 online")
    await expect(page.locator("#proof dd").nth(2)).to_have_text("2")
    await socket.repaint(total("online", 9))
    await expect(page.locator("#total-online")).to_have_text("9 online")
    assert socket.requests.empty()


async def test_the_rows_of_a_repaint_may_be_ordered_by_a_later_frame(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.connected()
    await socket.repaint(row(8) + row(9) + total("online", 7))
    await expect(page.locator("#total-online")).to_have_text("7 online")
    await socket.push(row(9, "offline"))

    await socket.push(ids=[9, 8, 1])

    await expect(page.locator("#terminals > tr th")).to_have_text(["T-9", "T-8", "T-1"])
    await expect(page.locator("#terminal-9 .state")).to_have_text("offline")
    assert socket.requests.empty()


async def test_a_list_may_be_described_by_its_changes(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(ids=[1, 2, 3, 4, 5])

    await socket.push(row(9) + row(8), gone=[3], put=[(9, None), (8, 9), (2, 5)])

    await expect(page.locator("#terminals > tr th")).to_have_text(["T-9", "T-8", "T-1", "T-4", "T-5", "T-2"])
    assert socket.requests.empty()


async def test_an_omitted_part_of_a_frame_is_empty_or_unchanged(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push(gaps=3, behind_s=7, database={"state": "differs", "at": None})
    await expect(page.locator("#proof dd")).to_have_text(["7 s behind", "0.0 s", "3", "differs"])

    await socket.push(kind="beat", newest_at=OMITTED, behind_s=OMITTED, gaps=OMITTED, database=OMITTED)

    await expect(page.locator("#proof dd")).to_have_text(["Live", "–", "0", "differs"])


async def test_after_a_lost_connection_the_board_reconnects_and_repaints(board: ScriptedBoard, page: Page):
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


async def test_a_reconnected_board_is_not_shown_as_live_before_its_repaint(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    (await board.painted()).cut()
    again = await board.connected()

    await again.push(total("online", 4))

    await expect(page.locator("#total-online")).to_have_text("4 online")
    await expect(page.locator(":root")).to_have_attribute("data-link", "reconnecting")


async def test_every_close_code_but_two_is_followed_by_a_reconnect(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    for code in (1000, 1011, 4503):
        socket = await board.painted()
        await expect(page.locator(":root")).to_have_attribute("data-link", "live")

        await socket.close(code)

        await expect(page.locator(":root")).to_have_attribute("data-link", "reconnecting")
    await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")


async def test_4401_leads_to_the_sign_in_page_and_back(board: ScriptedBoard, page: Page):
    await page.goto(f"{board.url}terminals/?q=a")
    socket = await board.painted()

    await socket.close(4401)

    await expect(page).to_have_url(f"{board.url}sign-in/?next=%2Fterminals%2F%3Fq%3Da")


async def test_4403_loads_the_page_again(board: ScriptedBoard, page: Page):
    await page.goto(f"{board.url}terminals/?q=a#terminal-2")
    socket = await board.painted()
    board.rows = board.rows[:1]

    await socket.close(4403)

    await expect(page.locator("[data-row]")).to_have_count(1)
    await expect(page).to_have_url(f"{board.url}terminals/?q=a")


async def test_a_hidden_tab_keeps_receiving_and_shows_the_newest_state(board: ScriptedBoard, page: Page):
    await page.clock.install()
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await page.evaluate(HIDE)

    for n in range(200):
        await socket.push(row(1, f"state {n}"))
    await socket.push(total("offline", 7))
    # Frames are a second apart, and the next one applies pending changes; TMS sends at least one every two seconds.
    while await page.locator("#total-offline").text_content() != "7 offline":
        await page.clock.fast_forward(1000)
        await socket.push()

    await expect(page.locator("#terminal-1 .state")).to_have_text("state 199")
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")


async def test_a_hidden_tab_is_current_as_soon_as_it_is_visible(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.evaluate(HIDE)
    await socket.push(total("offline", 1))
    await socket.push(total("offline", 2))

    await page.evaluate(SHOW)

    await expect(page.locator("#total-offline")).to_have_text("2 offline")


async def test_several_frames_within_one_animation_frame_are_applied_at_once(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await page.evaluate(COUNT_WRITES)
    await page.evaluate(HOLD_PICTURES)

    for n in range(50):
        await socket.push(total("online", n))
    # The request for a repaint shows that all previous frames were received.
    await socket.push(total("offline", 3), skip=1)
    await socket.next_request()
    await page.evaluate("() => { requestAnimationFrame = draw; held.forEach((f) => f(0)); }")

    await expect(page.locator("#total-online")).to_have_text("49 online")
    await expect(page.locator("#total-offline")).to_have_text("3 offline")
    assert await page.evaluate("() => writes") <= 2


async def test_a_changed_url_without_a_page_load_gets_another_board(board: ScriptedBoard, page: Page):
    board.extra = (
        '<a hx-get="/sources/js/main.js" hx-push-url="/terminals/?q=x" hx-target="#state">Filter</a><p id="state"></p>'
    )
    await page.goto(board.url)
    await board.painted()

    await page.get_by_text("Filter").click()

    again = await board.connected()
    assert parse_qs(urlsplit(again.path).query) == {"page": ["/terminals/?q=x"]}
    await again.repaint(total("online", 1))
    await expect(page.locator("#total-online")).to_have_text("1 online")
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")


# A headless browser treats every tab as visible; these simulate a hidden tab, without animation frames.
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
