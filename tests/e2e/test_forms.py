"""Forms in a browser: comboboxes by keyboard, validation while a person fills them in, drafts."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Page, Response, Route, expect

from tests.e2e.alerts import fails, row_of
from tests.e2e.axe import ALL_RULES, barriers
from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS, live, sign_in

ADDRESS = "/maintenance/new/"


async def test_a_combobox_is_used_by_keyboard(person: Enter):
    page = await (await person("tanaka")).open(ADDRESS)
    field = page.get_by_role("combobox", name="Sites")
    status = page.locator(".combobox:has(#id_sites) [role=status]")

    await field.focus()
    await page.keyboard.type("shin")
    await expect(page.locator("#id_sites_list > li")).to_have_text("Shinjuku SouthSJK")
    await expect(status).to_have_text("Results: 1")
    await page.keyboard.press("ArrowDown")
    await expect(field).to_have_attribute("aria-activedescendant", "id_sites_list_0")
    assert await barriers(page, ALL_RULES) == []
    await page.keyboard.press("Enter")

    await expect(status).to_have_text("Added: Shinjuku South. Selected: 1")
    await expect(page.locator("#id_sites_list > [data-value=SJK]")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Escape")
    await expect(field).to_have_attribute("aria-expanded", "false")
    assert await chosen(page, "sites") == ["SJK"]
    await page.keyboard.press("Backspace")
    await expect(status).to_have_text("Removed: Shinjuku South. Selected: 0")
    assert await chosen(page, "sites") == []


async def test_the_only_option_of_the_text_before_is_not_chosen(person: Enter):
    page = await (await person("tanaka")).open(ADDRESS)
    field = page.get_by_role("combobox", name="Sites")
    await page.route(re.compile("q=shinzz"), lambda _: None)  # its options never arrive
    await field.press_sequentially("shin")
    await expect(page.locator("#id_sites_list > li")).to_have_text("Shinjuku SouthSJK")
    async with page.expect_request(re.compile("q=shinzz")):
        await field.press_sequentially("zz")

    await field.press("Enter")

    assert await chosen(page, "sites") == ["shinzz"]


async def test_a_pasted_list_becomes_chips_and_an_unknown_key_an_error(person: Enter, tms: SeededTMS):
    uid = tms.unused_uid()
    page = await (await person("tanaka")).open(ADDRESS)
    field = page.get_by_role("combobox", name="Terminals")

    await field.evaluate(
        """(input, text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text", text);
          input.focus();
          input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        f"{uid}\nT-99",
    )
    await page.get_by_label("Purpose").focus()

    await expect(page.locator("#id_terminals_error")).to_have_text("Unknown terminals: T-99. Check the UIDs.")
    await expect(field).to_have_attribute("aria-describedby", "id_terminals_helptext id_terminals_error")
    await expect(page.locator("#id_note_error")).to_have_count(0)
    await page.get_by_role("button", name="Remove T-99").click()
    await expect(page.locator("#id_terminals_error")).to_have_count(0)


async def test_a_form_of_an_ended_session_is_filled_in_again_after_the_sign_in(person: Enter, tms: SeededTMS):
    tanaka = await person("tanaka")
    page = await tanaka.open(f"{ADDRESS}?site=UMD")
    await page.get_by_label("Purpose").fill("new router")
    async with page.expect_response(is_preview_of_custom):  # a later one would lead to the sign-in
        await page.get_by_label("Repeats").select_option("Custom")
    await tanaka.context.clear_cookies(name="tms_session")

    await page.get_by_role("button", name="Plan", exact=True).click()
    await sign_in(page, "tanaka")

    await expect(page.get_by_label("Purpose")).to_have_value("new router")
    await expect(page.get_by_text("is restored")).to_be_visible()
    assert await chosen(page, "sites") == ["UMD"]
    await page.get_by_role("button", name="Plan", exact=True).click()
    await expect(page.get_by_role("heading", name="new router")).to_be_visible()
    await page.goto(f"{tms.url}{ADDRESS}?site=UMD")
    await expect(page.locator("[data-draft-offer]")).to_be_hidden()


async def test_a_draft_that_was_begun_before_the_script_came_is_offered_and_discarded(person: Enter, tms: SeededTMS):
    mori, is_typed = await person("mori"), asyncio.Event()
    await mori.context.route(re.compile("/js/form-"), after(is_typed))
    page = await mori.open(ADDRESS)
    await page.get_by_label("Purpose").fill("half a sentence")
    is_typed.set()
    await page.wait_for_function("() => Object.values(localStorage).some((text) => text.includes('half a sentence'))")

    await page.reload()
    await page.get_by_role("button", name="Restore the draft of").click()
    await expect(page.get_by_label("Purpose")).to_have_value("half a sentence")
    await page.get_by_role("button", name="Discard").click()

    await expect(page.get_by_label("Purpose")).to_have_value("")
    await page.reload()
    await expect(page.locator("[data-draft-offer]")).to_be_hidden()


async def test_a_comment_survives_a_closed_dialog_and_the_end_of_the_session(person: Enter, tms: SeededTMS):
    kiosk = await tms.terminal()
    await fails(kiosk)
    tanaka = await person("tanaka")
    page = await tanaka.open("/alerts/")
    opener, comment = row_of(page, kiosk).get_by_role("link", name="Acknowledge"), page.get_by_label("Comment")
    act = page.get_by_role("dialog").get_by_role("button", name="Acknowledge")
    await opener.click()
    await comment.fill("on my way")
    await page.keyboard.press("Escape")

    await opener.click()
    await expect(comment).to_have_value("on my way")
    await expect(page.get_by_text("is restored")).to_be_visible()
    await tanaka.context.clear_cookies(name="tms_session")
    await act.click()
    await sign_in(page, "tanaka")
    await live(page)
    await opener.click()
    await expect(comment).to_have_value("on my way")

    await act.click()
    await expect(row_of(page, kiosk)).to_contain_text("on my way")
    await page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('tms.draft:'))")
    await kiosk.disconnect()


async def test_a_policy_of_an_ended_session_is_filled_in_again(person: Enter, tms: SeededTMS):
    tanaka = await person("tanaka")
    page = await tanaka.open("/policies/new/")
    name = page.locator("#id_name")
    await name.fill("Night")
    await tanaka.context.clear_cookies(name="tms_session")

    await page.get_by_role("button", name="Save").click()
    await sign_in(page, "tanaka")

    await expect(name).to_have_value("Night")
    await expect(page.get_by_text("is restored")).to_be_visible()


def is_preview_of_custom(response: Response) -> bool:
    return response.url.endswith("/preview/") and "repeats=custom" in (response.request.post_data or "")


async def chosen(page: Page, name: str) -> list[str]:
    """What the form would submit."""
    return await page.evaluate("(name) => new FormData(document.getElementById('plan')).getAll(name)", name)


def after(event: asyncio.Event) -> Callable[[Route], Awaitable[None]]:
    """Answers no request before the event."""

    async def answer(route: Route) -> None:
        await event.wait()
        await route.continue_()

    return answer
