"""Changes are tinted briefly."""

from playwright.async_api import Page, expect

from tests.e2e.scripted_board import ScriptedBoard, row, total


async def test_a_row_whose_state_changed_is_tinted_and_its_neighbours_are_not(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.evaluate(WATCH)
    plain = await page.evaluate(BACKGROUND, "#terminal-2")

    await socket.push(row(1) + row(2, "offline") + row(3) + total("offline", 1))

    await page.wait_for_function("() => tinted.length === 2")
    await expect(page.locator("[data-changed]")).to_have_count(0)
    assert sorted(await page.evaluate("() => tinted")) == ["terminal-2", "total-offline"]
    assert (await page.evaluate("() => backgrounds"))["terminal-2"] != plain
    assert await page.evaluate(BACKGROUND, "#terminal-2") == plain
    assert await page.evaluate("() => animations") == 0  # one would paint the board again and again


async def test_more_than_ten_changed_rows_tint_nothing(board: ScriptedBoard, page: Page):
    board.rows = [row(n) for n in range(1, 20)]
    await page.goto(board.url)
    socket = await board.painted()
    await page.evaluate(WATCH)

    await socket.push("".join(row(n, "offline") for n in range(1, 12)))

    await expect(page.locator("#terminal-11 .state")).to_have_text("offline")
    assert await page.evaluate("() => tinted") == []


async def test_readings_and_instants_tint_nothing(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.evaluate(WATCH)

    await socket.push(row(2, reading=41, seen="2026-01-05T03:00:10Z"))

    await expect(page.locator("#terminal-2 .number")).to_have_text("41")
    assert await page.evaluate("() => tinted") == []


async def test_a_tint_does_not_start_again_while_its_row_is_sent_unchanged(board: ScriptedBoard, page: Page):
    await page.goto(board.url)
    socket = await board.painted()
    await page.evaluate(WATCH)

    await socket.push(row(2, "offline"))
    for n in range(5):
        await socket.push(row(2, "offline") + total("online", n))

    await expect(page.locator("#total-online")).to_have_text("4 online")
    assert (await page.evaluate("() => tinted")).count("terminal-2") == 1


BACKGROUND = "(selector) => getComputedStyle(document.querySelector(selector)).backgroundColor"
WATCH = """() => {
  Object.assign(globalThis, { tinted: [], backgrounds: {}, animations: 0 });
  const watcher = new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (!("changed" in target.dataset)) continue;
      tinted.push(target.id);
      backgrounds[target.id] = getComputedStyle(target).backgroundColor;
      animations += document.getAnimations().length;
    }
  });
  watcher.observe(document, { subtree: true, attributeFilter: ["data-changed"] });
}"""
"""A tint is over after a second and a half, when a busy machine may not have looked yet."""
