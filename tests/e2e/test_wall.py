"""A television without a person: paired by its code, it survives a restart of TMS, and closes when it is revoked."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.faults import watch
from tests.e2e.seeded_tms import SeededTMS, live, sign_in_as

TELEVISION = {"width": 1920, "height": 1080}
FITS = """() => {
  const { scrollWidth, scrollHeight } = document.scrollingElement;
  return scrollWidth <= innerWidth && scrollHeight <= innerHeight;
}"""


@pytest.fixture(scope="module")
def own_tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededTMS]:
    """No other test opens an alert on its television."""
    with SeededTMS(tmp_path_factory.mktemp("wall")) as tms:
        yield tms


async def pair(laptop: Page, tms: SeededTMS, code: str) -> None:
    """Enter the code as a person."""
    await laptop.goto(f"{tms.url}/pair/")
    await laptop.get_by_label("Code on the screen").fill(code)
    await laptop.get_by_role("button", name="Continue").click()
    await laptop.get_by_label("Name").fill("NOC Tokyo")
    await laptop.get_by_label("Scope").select_option("everything")
    await laptop.get_by_role("button", name="Pair").click()
    await expect(laptop.locator(".result")).to_contain_text("Paired.")


async def fits(page: Page) -> bool:
    """Whether nothing is outside of the picture."""
    return bool(await page.evaluate(FITS))


async def test_a_paired_television_survives_a_restart_and_closes_when_it_is_revoked(
    browser: Browser, own_tms: SeededTMS, faults: list[str]
):
    room = await browser.new_context(viewport=TELEVISION, timezone_id="Asia/Tokyo", color_scheme="dark")
    watch(room, faults)
    television = await room.new_page()
    await television.goto(f"{own_tms.url}/wall/")
    code = await television.locator("#code").inner_text()
    assert await fits(television)
    person = await sign_in_as(browser, own_tms, "tanaka")
    laptop = await person.context.new_page()

    await pair(laptop, own_tms, code)

    await expect(television.locator("#wall h1")).to_have_text("NOC Tokyo")
    await live(television)
    assert await fits(television)
    await television.evaluate("() => { window.isSame = true }")
    online = television.locator("#number-online")
    before = int(await online.inner_text())
    terminal = await own_tms.terminal()
    await expect(online).to_have_text(str(before + 1))

    board = await person.open("/terminals/?q=SJK")
    await board.locator("input[type=search]").fill("SJK typed")

    own_tms.stop()
    await expect(television.locator(":root")).not_to_have_attribute("data-link", "live")
    own_tms.start()
    for page in (television, board):
        await expect(page.locator(":root")).to_have_attribute("data-link", "live")
    assert await television.evaluate("() => window.isSame")
    await expect(board.locator("#banner")).to_contain_text("Connection to the server lost.")  # hidden by now
    await expect(board.locator("input[type=search]")).to_have_value("SJK typed")
    again = await own_tms.kiosk(terminal.uid, boot_id="after-the-restart")
    await expect(online).to_have_text(str(before + 1))

    await laptop.goto(f"{own_tms.url}/people/screens/")
    await expect(laptop.get_by_role("row", name="NOC Tokyo")).to_contain_text("now")
    await laptop.get_by_role("link", name="Revoke").click()
    await laptop.get_by_role("button", name="Revoke").click()
    await expect(television.locator("#code")).to_be_visible()
    assert await television.locator("#code").inner_text() != code
    await again.disconnect()
    await person.context.close()
    await room.close()


async def test_what_is_critical_and_unacknowledged_does_not_rotate_away(browser: Browser, own_tms: SeededTMS):
    person = await sign_in_as(browser, own_tms, "tanaka", viewport=TELEVISION)
    wall = await person.open("/wall/?board=overview&board=sites&every_s=5")
    main = wall.locator("#main")
    await expect(main).to_have_attribute("data-board", "sites")

    own_tms.blackout()

    await expect(main).to_have_attribute("data-board", "overview")
    await expect(wall.locator("#incidents > li[data-ack=none]").first).to_be_visible()
    assert await fits(wall)
    await person.context.close()
