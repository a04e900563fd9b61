"""A person's own page in a browser: what is saved takes effect at once, and nothing typed is lost."""

import re
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS, live, sign_in

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"


async def opened(person: Enter, username: str = "mori") -> Page:
    return await (await person(username)).open("/me/")


async def test_a_preference_is_saved_and_applied_when_it_changes(person: Enter):
    page = await opened(person)
    first_name = page.get_by_label("Given name")
    await first_name.fill("Renata")

    await page.get_by_label("Compact").check(force=True)

    await expect(page.locator("#saved-preferences")).to_have_text("Saved")
    await expect(page.locator(":root")).to_have_attribute("data-density", "compact")
    await expect(first_name).to_have_value("Renata")
    await page.get_by_label("Standard").check(force=True)
    await expect(page.locator(":root")).not_to_have_attribute("data-density", re.compile(".*"))


async def test_the_theme_in_the_header_and_the_preference_agree(person: Enter):
    page = await opened(person)

    await page.get_by_role("button", name="Theme").click()

    await expect(page.get_by_label("Light")).to_be_checked()
    await page.get_by_label("System default").check(force=True)
    await expect(page.locator("#saved-preferences")).to_have_text("Saved")
    await expect(page.locator(":root")).not_to_have_attribute("data-theme", re.compile(".*"))


async def test_times_are_shown_in_the_chosen_zone_in_any_browser(tms: SeededTMS, person: Enter):
    page = await opened(person)
    await page.get_by_label("Time zone").select_option("America/New_York")
    await expect(page.locator("#saved-preferences")).to_have_text("Saved")

    board = await (await person("mori", timezone_id="Europe/Berlin")).open("/")

    await expect(board.locator(":root")).to_have_attribute("data-zone", "America/New_York")
    await board.evaluate(
        """() => {
          const time = document.createElement("time");
          time.dateTime = "2026-11-25T12:00:00Z";
          time.dataset.format = "datetime";
          time.id = "noon";
          document.querySelector("main").append(time);
        }"""
    )
    await expect(board.locator("#noon")).to_have_text(re.compile("^25 Nov (2026 )?07:00$"))
    await page.get_by_label("Time zone").select_option("")
    await expect(page.locator(":root")).not_to_have_attribute("data-zone", re.compile(".*"))


async def test_shortcuts_can_be_turned_off_and_escape_still_works(tms: SeededTMS, person: Enter):
    page = await opened(person)
    await page.get_by_label("Single-key shortcuts").uncheck()
    await expect(page.locator("#saved-shortcuts")).to_have_text("Saved")

    await page.goto(f"{tms.url}/terminals/")
    for key in ("?", "/", "g", "o"):
        await page.keyboard.press(key)

    await expect(page.locator("body")).to_be_focused()
    await expect(page).to_have_url(f"{tms.url}/terminals/")
    await page.get_by_role("combobox", name="Search terminals").focus()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("combobox", name="Search terminals")).not_to_be_focused()
    await page.get_by_role("link", name="Keyboard shortcuts").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Single-key shortcuts are off")
    await page.goto(f"{tms.url}/me/")
    await page.get_by_label("Single-key shortcuts").check()
    await expect(page.locator("#saved-shortcuts")).to_have_text("Saved")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_severities_that_sound_follow_the_person_into_another_browser(person: Enter):
    board = await (await person("mori")).open("/alerts/")
    await board.locator("#sound summary").click()
    async with board.expect_response("**/me/sounds/"):
        await board.locator("#sound [name=info]").check()

    page = await opened(person)

    await expect(page.get_by_label("Sound for info")).to_be_checked()
    await expect(page.get_by_label("Sound for critical alerts")).to_be_checked()
    await page.get_by_label("Sound for info").uncheck()
    await expect(page.locator("#saved-sounds")).to_have_text("Saved")


async def test_leaving_the_page_with_an_unsaved_name_asks_first(tms: SeededTMS, person: Enter):
    page = await opened(person)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept())[1])
    await page.get_by_label("Given name").press_sequentially("x")

    await page.goto(f"{tms.url}/help/")

    assert asked == ["beforeunload"]


async def test_an_invalid_name_is_reported_beside_its_field_and_stays_there(person: Enter):
    page = await opened(person)
    field = page.get_by_label("Family name")
    await field.evaluate("field => field.removeAttribute('maxlength')")
    await field.fill("x" * 151)

    await page.locator("#profile-form button").click()

    await expect(page.locator("#profile-form [role=alert]")).to_contain_text("at most 150 characters")
    await expect(field).to_have_value("x" * 151)
    await field.fill("Mori")
    await page.locator("#profile-form button").click()
    await expect(page.locator("#saved-profile")).to_have_text("Saved")


async def test_a_token_is_created_rotated_and_revoked(browser: Browser, tms: SeededTMS):
    page = await signed_in(browser, tms)
    await page.goto(f"{tms.url}/me/")
    await page.get_by_role("link", name="New token").click()
    await page.get_by_label("Name").fill("Grafana")
    await page.get_by_role("button", name="Create").click()
    first = await page.get_by_label("Secret").input_value()

    await page.get_by_role("link", name="I have stored it").click()
    tokens = page.locator("#tokens li")
    await expect(tokens).to_contain_text(["Grafana"])
    await page.get_by_role("link", name=re.compile("^Rotate")).click()
    await page.get_by_role("button", name="Make new secret").click()
    second = await page.get_by_label("Secret").input_value()
    answers = [await page.request.get(f"{tms.url}/api/v1/sites", headers=bearer(one)) for one in (first, second)]

    assert [answer.status for answer in answers] == [200, 200]
    await page.goto(f"{tms.url}/me/")
    await expect(tokens).to_have_count(2)
    for _ in range(2):
        await page.get_by_role("link", name=re.compile("^Revoke")).first.click()
        await page.get_by_role("button", name="Revoke").click()
    await expect(page.locator("#tokens")).to_contain_text("None.")
    assert (await page.request.get(f"{tms.url}/api/v1/sites", headers=bearer(second))).status == 401
    await page.context.close()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_ending_a_session_sends_its_board_to_the_sign_in_page(browser: Browser, tms: SeededTMS):
    phone, here = await signed_in(browser, tms, user_agent=IPHONE), await signed_in(browser, tms)
    await live(phone)
    await here.goto(f"{tms.url}/me/")

    await here.get_by_role("button", name=re.compile("End.*Safari on iPhone")).click()

    await expect(here.locator("#sessions [role=status]")).to_have_text("Ended")
    await phone.wait_for_url("**/sign-in/**")
    for page in (phone, here):
        await page.context.close()


async def signed_in(browser: Browser, tms: SeededTMS, **options: Any) -> Page:
    """A signed-in page in a session of its own."""
    page = await (await browser.new_context(**options)).new_page()
    await page.goto(f"{tms.url}/sign-in/")
    await sign_in(page, "mori")
    return page
