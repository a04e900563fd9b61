"""Input and focus in a row survive updates from the server."""

import asyncio

from playwright.async_api import Page, Route, expect

from tests.e2e.scripted_board import ScriptedBoard, row, total


async def test_a_pushed_row_replaces_only_its_own_row(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push(row(2, "offline"))

    await expect(page.locator("#terminal-2 .state")).to_have_text("offline")
    await expect(page.locator("#terminals > tr")).to_have_count(5)


async def test_focus_typed_text_ticks_and_open_details_survive_100_pushed_changes(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("Select T-2").check()
    await page.locator("#terminal-3 summary").click()
    note = page.get_by_label("Note 2")
    await note.fill("called the shop")
    await note.evaluate("field => field.setSelectionRange(3, 7)")

    for n in range(100):
        await socket.push("".join(row(i, f"state {n}", reading=n) for i in range(1, 6)))

    await expect(page.locator("#terminal-2 .state")).to_have_text("state 99")
    await expect(note).to_be_focused()
    await expect(note).to_have_value("called the shop")
    assert await note.evaluate("field => [field.selectionStart, field.selectionEnd]") == [3, 7]
    await expect(page.get_by_label("Select T-2")).to_be_checked()
    await expect(page.get_by_text("Details of 3")).to_be_visible()


async def test_selected_text_next_to_a_change_stays_selected(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.locator("#terminal-4 a").first.evaluate("link => getSelection().selectAllChildren(link)")

    await socket.push(row(4, "offline"))

    await expect(page.locator("#terminal-4 .state")).to_have_text("offline")
    assert await page.evaluate("() => getSelection().toString()") == "T-4"


async def test_a_field_with_the_focus_survives_its_removal_by_the_server(board: ScriptedBoard, page: Page):
    board.extra = '<section id="state"><p>open</p><form><textarea aria-label="Comment"></textarea></form></section>'
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("Comment").fill("on my way")

    await socket.push('<section id="state"><p>resolved</p></section>')

    await expect(page.locator("#state p")).to_have_text("resolved")
    await expect(page.get_by_label("Comment")).to_have_value("on my way")


async def test_elements_keep_their_identity_when_their_order_changes(board: ScriptedBoard, page: Page):
    board.extra = '<ul id="state"><li id="a"><input aria-label="A"></li><li id="b">b</li></ul>'
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_label("A", exact=True).fill("typed")

    first = '<li id="a"><input aria-label="A"></li>'
    await socket.push(f'<ul id="state"><li id="b">second</li><li id="c">new</li>{first}</ul>')

    await expect(page.locator("#state > li")).to_have_text(["second", "new", ""])
    await expect(page.get_by_label("A", exact=True)).to_have_value("typed")
    await expect(page.get_by_label("A", exact=True)).to_be_focused()


async def test_a_frame_may_hold_rows_and_other_elements_in_any_order(board: ScriptedBoard, page: Page):
    board.extra = '<div id="state">none</div>'
    await page.goto(board.url)
    socket = await board.painted()

    table = '<div id="state"><table><tr id="nested"><td>inner</td></tr></table></div>'
    await socket.push(total("online", 4) + row(1, "offline") + table + row(2, "silent") + total("offline", 1))

    await expect(page.locator("#terminal-1 .state")).to_have_text("offline")
    await expect(page.locator("#terminal-2 .state")).to_have_text("silent")
    await expect(page.locator("#state table td")).to_have_text("inner")
    await expect(page.locator("#total-online")).to_have_text("4 online")
    await expect(page.locator("#total-offline")).to_have_text("1 offline")
    await expect(page.locator("[hx-swap-oob]")).to_have_count(0)


async def test_new_elements_are_given_to_htmx(board: ScriptedBoard, page: Page):
    board.extra = '<div id="state"></div>'
    await page.goto(board.url)
    socket = await board.painted()
    await socket.push('<div id="state"><a href="/x/" hx-get="/sources/js/main.js" hx-target="#state">Load</a></div>')

    await page.get_by_role("link", name="Load").click()

    await expect(page.locator("#state")).to_contain_text("Starts every behaviour")


async def test_htmx_no_longer_handles_an_element_that_changed_into_another(board: ScriptedBoard, page: Page):
    board.extra = '<div id="state"><a href="#one" hx-get="/sources/js/main.js" hx-target="#state">Take</a></div>'
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_role("link", name="Take").focus()
    await socket.push('<div id="state"><a href="#two">Open</a></div>')
    await expect(page.get_by_role("link", name="Open")).to_be_focused()

    await page.get_by_role("link", name="Open").click()

    await expect(page).to_have_url(f"{board.url}#two")


async def test_an_answer_does_not_undo_a_later_frame(board: ScriptedBoard, page: Page):
    board.extra = '<div id="state"><a href="/x/" hx-get="/slow/" hx-target="#state">Send</a></div>'
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def answer(route: Route) -> None:
        is_asked.set()
        await may_answer.wait()
        await route.fulfill(body="<b>queued</b>", content_type="text/html")

    await page.route("**/slow/", answer)
    await page.goto(board.url)
    socket = await board.painted()
    await page.get_by_role("link", name="Send").click()
    await is_asked.wait()
    await socket.push('<div id="state"><b>answered</b></div>')
    await expect(page.locator("#state")).to_have_text("answered")

    await page.evaluate("() => { swapped = new Promise((done) => addEventListener('htmx:after:swap', () => done())) }")
    may_answer.set()
    await page.evaluate("() => swapped")

    await expect(page.locator("#state")).to_have_text("answered")


async def test_markup_in_a_frame_runs_no_script(board: ScriptedBoard, page: Page):
    board.extra = '<div id="state"></div>'
    await page.goto(board.url)
    socket = await board.painted()

    await socket.push('<div id="state"><script>document.title = "run"</script><b>there</b></div>')

    await expect(page.locator("#state b")).to_have_text("there")
    await expect(page).to_have_title("Board")
