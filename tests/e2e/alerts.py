"""Alerts of the seeded fleet."""

from datetime import UTC, datetime

from playwright.async_api import Locator, Page

from tests.e2e.seeded_tms import Kiosk

FAULT, REPAIRED = "card_reader_fault", "card_reader_ok"


async def fails(kiosk: Kiosk, code: str = FAULT) -> None:
    at = datetime.now(UTC).isoformat()
    await kiosk.send_report(events=[{"at": at, "code": code, "severity": "critical", "text": "no card is read"}])


def row_of(page: Page, kiosk: Kiosk) -> Locator:
    return page.locator("#alerts > li, #incidents > li").filter(has_text=kiosk.uid)
