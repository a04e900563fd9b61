"""A new employee: invited, sets a password, is an operator of a region, acknowledges a first alert.

With `-s` the steps are printed, with the seconds since the first: a browser that is driven neither reads nor types.
"""

import re
import time
from typing import Literal

from playwright.async_api import Browser, Page, expect

from tests.e2e.alerts import fails, row_of
from tests.e2e.faults import watch
from tests.e2e.seeded_tms import VIEWPORTS, SeededTMS, live, sign_in_as
from tests.support.servers.mail_server import MailServer

EMAIL = "a.kondo@noc.example"
PASSWORD = "watch-the-fleet-7"
LINK = re.compile(r"https?://\S+/invitation/\S+")


class Journey:
    """What people do, one after another."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._began_at = time.monotonic()

    def note(self, step: str) -> None:
        self.steps.append(f"{time.monotonic() - self._began_at:5.1f} s  {step}")

    async def fill(self, page: Page, label: str, text: str) -> None:
        await page.get_by_label(label, exact=True).fill(text)
        self.note(f"enter {label}")

    async def choose(self, page: Page, label: str, option: str) -> None:
        await page.get_by_label(label, exact=True).select_option(label=option)
        self.note(f"choose {label}: {option}")

    async def press(self, page: Page, role: Literal["button", "link"], name: str) -> None:
        await page.get_by_role(role, name=re.compile(rf"^{name}\b")).first.click()
        self.note(f"press {name}")

    async def open(self, page: Page, url: str, what: str) -> None:
        await page.goto(url)
        self.note(f"open {what}")


async def test_a_new_employee_is_invited_and_acknowledges_a_first_alert(
    tms: SeededTMS, mail_server: MailServer, browser: Browser, faults: list[str]
):
    journey = Journey()
    lead = await sign_in_as(browser, tms, "tanaka")
    watch(lead.context, faults)
    await invites(journey, await lead.open("/"))
    [link] = LINK.findall(text_of(mail_server))

    context = await browser.new_context(viewport=VIEWPORTS["wide"], locale="en-GB", timezone_id="Asia/Tokyo")
    watch(context, faults)
    page = await context.new_page()
    await accepts(journey, page, link)
    await acknowledges(journey, tms, page)

    journey.note("the alert is acknowledged")
    print(*(f"{number:2}. {step}" for number, step in enumerate(journey.steps, 1)), sep="\n")
    assert len(journey.steps) <= 17
    await context.close()
    await lead.context.close()


async def invites(journey: Journey, page: Page) -> None:
    await journey.press(page, "link", "People")
    await journey.fill(page, "E-mail", EMAIL)
    await journey.choose(page, "Role", "Operator")
    await journey.choose(page, "Scope", "Kanto")
    await journey.press(page, "button", "Send invitation")
    await expect(page.get_by_text("Invitation sent.")).to_be_visible()


async def accepts(journey: Journey, page: Page, link: str) -> None:
    await journey.open(page, link, "the link in the mail")
    await journey.fill(page, "Family name", "Kondo")
    await journey.fill(page, "Given name", "Ai")
    await journey.fill(page, "Password", PASSWORD)
    await journey.fill(page, "Confirm password", PASSWORD)
    await journey.press(page, "button", "Create account")
    await live(page)
    await expect(page.locator(".rail-foot")).to_contain_text("A. Kondo")


async def acknowledges(journey: Journey, tms: SeededTMS, page: Page) -> None:
    kiosk = await tms.terminal()
    await fails(kiosk)
    await journey.press(page, "link", "Alerts")
    await live(page)
    row = row_of(page, kiosk)
    await row.get_by_role("link", name="Acknowledge").click()
    journey.note("press Acknowledge")
    await page.get_by_label("Comment").fill("on my way")
    journey.note("enter Comment")
    await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    journey.note("press Acknowledge in the dialog")
    await expect(row).to_have_attribute("data-ack", "acknowledged")
    await expect(page.get_by_role("link", name="People", exact=True)).to_have_count(0)
    await kiosk.disconnect()


def text_of(server: MailServer) -> str:
    return "\n".join(mail.message.get_content() for mail in server.mails)
