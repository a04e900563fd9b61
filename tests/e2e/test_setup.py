"""The admin in a browser: it works under TMS's own content policy, which the context of every test enforces."""

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS

LISTS = (
    "fleet/site",
    "fleet/terminal",
    "fleet/credential",
    "fleet/group",
    "fleet/enrolmenttoken",
    "alerts/alert",
    "commands/command",
)
FORMS = (
    "fleet/site/add",
    "fleet/terminal/add",
    "fleet/terminal/1/change",
    "fleet/group/add",
    "fleet/enrolmenttoken/add",
)


@pytest_asyncio.fixture(loop_scope="session")
async def operator(tms: SeededTMS, person: Enter) -> Page:
    return await (await person("mori")).context.new_page()


async def test_every_list_and_form_complies_with_the_content_policy(operator: Page, tms: SeededTMS):
    for path in ("", *(f"{name}/" for name in (*LISTS, *FORMS))):
        answer = await operator.goto(f"{tms.url}/admin/{path}")

        assert answer is not None
        assert (answer.status, answer.url) == (200, f"{tms.url}/admin/{path}")


async def test_a_terminal_is_added_with_autocomplete_for_its_site_and_its_key_is_shown(operator: Page, tms: SeededTMS):
    await operator.goto(f"{tms.url}/admin/fleet/terminal/add/")
    await operator.get_by_label("UID").fill("SHJ-PAY-02")
    await operator.locator(".field-site .select2-selection").click()
    await operator.locator(".select2-search__field").fill("shinjuku")
    await operator.get_by_role("option", name="Shinjuku South").click()

    await operator.get_by_role("button", name="Save", exact=True).click()

    await expect(operator.locator("code")).to_contain_text("SHJ-PAY-02.")


async def test_keys_are_revoked_after_a_confirmation(operator: Page, tms: SeededTMS):
    await operator.goto(f"{tms.url}/admin/fleet/terminal/?q={tms.unused_uid()}")
    await operator.locator("#result_list input.action-select").check()
    await operator.get_by_label("Action:").select_option("Revoke all keys")
    await operator.get_by_role("button", name="Run").click()

    await operator.get_by_role("button", name="Revoke").click()

    await expect(operator.get_by_text("1 key was revoked.")).to_be_visible()


async def test_opening_hours_are_added_row_by_row(operator: Page, tms: SeededTMS):
    await operator.goto(f"{tms.url}/admin/fleet/site/1/change/")

    await operator.get_by_role("button", name="Add another Opening hours").click()

    await expect(operator.locator("#id_opening_hours-0-weekday")).to_be_visible()
