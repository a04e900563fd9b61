"""Text from outside is shown and never run: in every field of a terminal, and in every name."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, Page, expect

from tests.e2e.faults import watch
from tests.e2e.hostile import PAYLOADS
from tests.e2e.seed import HOSTILE_UIDS
from tests.e2e.seeded_tms import Kiosk, SeededTMS, live, sign_in_as
from tms.protocol.text import clean

PAGES = ("/", "/terminals/", "/terminals/?q=%3Cscript%3Ehurt%3D1%3C/script%3E", "/alerts/", "/alerts/?q=%22%3E%3Cimg")


@pytest.fixture(scope="module")
def hostile_tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededTMS]:
    """A TMS with hostile names of sites."""
    with SeededTMS(tmp_path_factory.mktemp("hostile"), hostile=True) as tms:
        yield tms


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def kiosks(hostile_tms: SeededTMS) -> AsyncIterator[list[Kiosk]]:
    """A terminal for each payload, which sends it in every text field of the protocol."""
    async with asyncio.TaskGroup() as group:
        arrivals = [
            group.create_task(connect_and_report(hostile_tms, *pair))
            for pair in zip(HOSTILE_UIDS, PAYLOADS, strict=True)
        ]
    kiosks = [arrival.result() for arrival in arrivals]
    yield kiosks
    for kiosk in kiosks:
        await kiosk.disconnect()


async def connect_and_report(hostile_tms: SeededTMS, uid: str, payload: str) -> Kiosk:
    kiosk = await hostile_tms.kiosk(uid, **boot(payload))
    await kiosk.send_report(**report(payload))
    return kiosk


def boot(payload: str) -> dict[str, object]:
    name = payload[:64]
    code = clean(name)  # an invalid id is refused
    return {
        "boot_id": code,
        "serial": name,
        "model": name,
        "firmware": name,
        "agent": name,
        "capabilities": [code, "ping"],
    }


def report(payload: str) -> dict[str, object]:
    at = datetime.now(UTC).isoformat()
    event = {"at": at, "code": "card_reader_fault", "severity": "critical", "text": payload}
    return {"status": "fault", "metrics": {"temperature_c": 44.0, "paper_pct": 3.0}, "events": [event]}


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(browser: Browser, hostile_tms: SeededTMS, faults: list[str]) -> AsyncIterator[Page]:
    person = await sign_in_as(browser, hostile_tms, "tanaka")
    watch(person.context, faults)
    page = await person.context.new_page()

    async def opened(dialog: Dialog) -> None:
        faults.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", opened)
    yield page
    await person.context.close()


async def assert_nothing_ran(page: Page) -> None:
    """The page works, and no payload ran in it."""
    await live(page)
    assert await page.evaluate("() => 'hurt' in window") is False
    assert await page.locator("#proof").count() == await page.locator("main").count() == 1


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_runs_payloads_in_texts_of_terminals_and_names(
    hostile_tms: SeededTMS, kiosks: list[Kiosk], viewer: Page, path: str
):
    await viewer.goto(hostile_tms.url + path)

    await assert_nothing_ran(viewer)


async def test_no_frame_runs_payloads_in_texts_of_terminals(hostile_tms: SeededTMS, kiosks: list[Kiosk], viewer: Page):
    await viewer.goto(f"{hostile_tms.url}/alerts/")
    await assert_nothing_ran(viewer)

    async with asyncio.TaskGroup() as group:
        for kiosk, payload in zip(kiosks, PAYLOADS, strict=True):
            group.create_task(kiosk.send_report(**report(payload[::-1] + payload)))

    await expect(viewer.locator("#alerts > li")).not_to_have_count(0)
    await assert_nothing_ran(viewer)


async def test_the_pages_of_single_terminals_and_alerts_run_no_payload(
    hostile_tms: SeededTMS, kiosks: list[Kiosk], viewer: Page
):
    alerts = [pk for (pk,) in hostile_tms.query("SELECT id FROM alerts_alert ORDER BY id")]
    for uid, alert in zip(HOSTILE_UIDS[::10], alerts[::20], strict=True):
        for path in (f"/terminals/{uid}/", f"/alerts/{alert}/"):
            await viewer.goto(hostile_tms.url + path)

            await assert_nothing_ran(viewer)


async def test_the_answer_to_a_command_runs_no_payload(hostile_tms: SeededTMS, kiosks: list[Kiosk], viewer: Page):
    kiosk = kiosks[0]
    await viewer.goto(f"{hostile_tms.url}/terminals/{kiosk.uid}/")
    await live(viewer)
    await viewer.get_by_role("button", name="Send").click()
    request = await kiosk.receive()

    await kiosk.send({"jsonrpc": "2.0", "id": request["id"], "result": {"said": "".join(PAYLOADS)}})

    await expect(viewer.locator("#commands pre")).to_contain_text("hurt=1")
    await assert_nothing_ran(viewer)
