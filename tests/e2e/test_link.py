"""The board shows the state of its own link."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard, Socket, total


async def opened(board: ScriptedBoard, page: Page) -> Socket:
    """A live board in a browser with a clock that the test controls."""
    await page.clock.install()
    await page.goto(board.url)
    socket = await board.painted()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    return socket


async def test_a_live_board_shows_its_state_and_facts(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push(gaps=3, newest_at=None, database={"state": "differs", "at": None})

    await expect(page.locator("#proof dd")).to_have_text(["Live", "–", "3", "differs"])
    await expect(page.locator("#banner")).to_be_hidden()


async def test_a_comparison_from_before_the_page_was_opened_is_not_shown_and_a_late_one_is_amber(
    board: ScriptedBoard, page: Page
):
    """Nobody may have watched for minutes; the next comparison is on its way."""
    socket = await opened(board, page)
    now = datetime.now(UTC)
    old = {"state": "equal", "at": (now - timedelta(minutes=2)).isoformat()}

    await socket.push(at=now.isoformat(), database=old)

    await expect(page.locator("#proof dd").last).to_have_text("not compared")
    await expect(page.locator("#proof")).not_to_have_attribute("data-stale", "")

    for seconds in range(4, 24, 4):
        await page.clock.fast_forward(4000)
        await socket.push(at=(now + timedelta(seconds=seconds)).isoformat(), database=old)

    await expect(page.locator("#proof dd").last).to_have_text("equal, 2 min ago")
    await expect(page.locator("#proof")).to_have_attribute("data-stale", "")


async def test_the_age_of_the_newest_data_keeps_counting(board: ScriptedBoard, page: Page):
    socket = await opened(board, page)
    now = datetime.now(UTC)
    await socket.push(at=now.isoformat(), newest_at=(now - timedelta(seconds=40)).isoformat())
    await expect(page.locator("#proof dd").nth(1)).to_have_text("40 s")

    await page.clock.fast_forward(3000)

    await expect(page.locator("#proof dd").nth(1)).to_have_text("43 s")


async def test_missing_frames_are_shown_as_behind(board: ScriptedBoard, page: Page):
    await opened(board, page)

    await page.clock.fast_forward(6000)

    await expect(page.locator(":root")).to_have_attribute("data-link", "behind")
    await expect(page.locator("#proof dd").first).to_have_text("6 s behind")


async def test_a_delay_reported_by_the_server_is_shown_and_in_the_banner_after_ten_seconds(
    board: ScriptedBoard, page: Page
):
    socket = await opened(board, page)

    await socket.push(behind_s=7)
    await expect(page.locator("#proof dd").first).to_have_text("7 s behind")
    await expect(page.locator("#banner")).to_be_hidden()
    await socket.push(behind_s=31)

    await expect(page.locator("#banner")).to_have_attribute("data-kind", "behind")
    await expect(page.locator("#banner")).to_contain_text("31 s behind")
    await expect(page.locator("#banner p:visible")).to_have_count(1)


async def test_no_frame_for_ten_seconds_is_a_lost_link_and_the_board_is_grey(board: ScriptedBoard, page: Page):
    await opened(board, page)
    coloured = await colour_of(page)

    await page.clock.fast_forward(10_000)

    await expect(page.locator(":root")).to_have_attribute("data-link", "lost")
    await expect(page.locator("#proof dd").first).to_have_text("Link lost")
    await expect(page.locator("#banner")).to_contain_text("Lost since")
    assert await colour_of(page) != coloured


async def test_a_silent_socket_is_replaced_by_a_new_one(board: ScriptedBoard, page: Page):
    await opened(board, page)
    coloured = await colour_of(page)

    await page.clock.fast_forward(10_000)
    await page.clock.fast_forward(1000)

    await (await board.connected()).repaint(total("online", 8))
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    await expect(page.locator("#total-online")).to_have_text("8 online")
    await expect(page.locator("#banner")).to_be_hidden()
    assert await colour_of(page) == coloured


async def test_a_lost_board_shows_the_next_attempt_and_retries_at_once_on_request(board: ScriptedBoard, page: Page):
    socket = await opened(board, page)
    board.refusing = True
    socket.cut()
    await expect(page.locator(":root")).to_have_attribute("data-link", "reconnecting")
    await expect(page.locator("#banner")).to_be_hidden()
    await page.clock.fast_forward(10_000)
    await expect(page.locator("#banner")).to_have_attribute("data-kind", "lost")
    await expect(page.locator("#banner")).to_contain_text("Reconnecting in 00:0")
    board.refusing = False

    await page.get_by_role("link", name="Reconnect now").click()

    await (await board.connected()).repaint()
    await expect(page.locator(":root")).to_have_attribute("data-link", "live")


async def test_countdowns_stop_while_the_link_is_lost(board: ScriptedBoard, page: Page):
    due = (datetime.now(UTC) + timedelta(seconds=90)).isoformat()
    board.extra = f'<p class="countdown" id="state">back in <time data-countdown datetime="{due}"></time></p>'
    await opened(board, page)
    await expect(page.locator("#state")).to_have_attribute("data-due", "soon")
    await page.clock.fast_forward(11_000)
    await expect(page.locator(":root")).to_have_attribute("data-link", "lost")
    shown = await page.locator("#state").text_content()

    await page.clock.fast_forward(20_000)

    await expect(page.locator("#proof dd").nth(1)).to_have_text("31 s")
    assert await page.locator("#state").text_content() == shown


async def test_a_wait_of_known_length_is_soon_over_in_its_last_third(board: ScriptedBoard, page: Page):
    states = {"early": 55, "late": 25, "over": -5}
    board.extra = "".join(
        f'<p class="state" id="{name}"><time data-countdown data-lasts="120" datetime="{due}"></time></p>'
        for name, due in (
            (name, (datetime.now(UTC) + timedelta(seconds=left)).isoformat()) for name, left in states.items()
        )
    )

    await opened(board, page)

    await expect(page.locator("#late")).to_have_attribute("data-due", "soon")
    await expect(page.locator("#over")).to_have_attribute("data-due", "over")
    assert await page.locator("#early").get_attribute("data-due") is None


async def test_a_countdown_uses_the_server_s_clock(board: ScriptedBoard, page: Page):
    server = datetime.now(UTC) + timedelta(hours=2)
    due = (server + timedelta(seconds=60)).isoformat()
    board.extra = f'<p class="countdown" id="state"><time data-countdown datetime="{due}"></time></p>'
    await page.clock.install()
    await page.goto(board.url)
    socket = await board.painted()

    for _ in range(10):
        await socket.push(at=server.isoformat())
    await page.clock.fast_forward(10_000)

    await expect(page.locator("#state")).to_have_text("00:50")


async def test_times_are_shown_in_the_reader_s_language(board: ScriptedBoard, page: Page):
    seen = (datetime.now(UTC) - timedelta(minutes=9, seconds=20)).isoformat()
    times = "".join(f'<li id="{f}"><time datetime="{seen}" data-format="{f}"></time></li>' for f in ("ago", "datetime"))
    board.language, board.extra = "ja", f"<ul>{times}</ul>"

    await page.goto(board.url)

    await expect(page.locator("#ago")).to_have_text("9分")
    await expect(page.locator("#datetime")).to_contain_text("月")


async def colour_of(page: Page) -> str:
    """How the page shows what is critical."""
    return await page.evaluate(
        """() => {
          const probe = document.body.appendChild(document.createElement("i"));
          probe.style.color = "var(--critical)";
          const { color } = getComputedStyle(probe);
          probe.remove();
          return color;
        }"""
    )
