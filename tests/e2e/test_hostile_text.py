"""Text from outside is shown, never run: in every field that a terminal can send, and in every name (R17)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, Page, expect

from tests.e2e.faults import watch
from tests.e2e.hostile import PAYLOADS
from tests.e2e.house import Kiosk, SeededTMS, enter, live
from tests.e2e.seed import HOSTILE_UIDS
from tms.protocol.text import clean

PAGES = ("/", "/terminals/", "/terminals/?q=%3Cscript%3Ehurt%3D1%3C/script%3E", "/alerts/", "/alerts/?q=%22%3E%3Cimg")


@pytest.fixture(scope="module")
def haunted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededTMS]:
    """A house whose sites are named by an enemy."""
    with SeededTMS(tmp_path_factory.mktemp("haunted"), hostile=True) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def kiosks(haunted: SeededTMS) -> AsyncIterator[list[Kiosk]]:
    """A terminal for each payload, which puts it wherever the protocol takes text."""
    async with asyncio.TaskGroup() as group:
        arrivals = [group.create_task(arrive(haunted, *pair)) for pair in zip(HOSTILE_UIDS, PAYLOADS, strict=True)]
    kiosks = [arrival.result() for arrival in arrivals]
    yield kiosks
    for kiosk in kiosks:
        await kiosk.leave()


async def arrive(haunted: SeededTMS, uid: str, payload: str) -> Kiosk:
    kiosk = await haunted.kiosk(uid, **boot(payload))
    await kiosk.say(**report(payload))
    return kiosk


def boot(payload: str) -> dict[str, object]:
    name = payload[:64]
    code = clean(name)  # an id that is not clean is refused
    return {
        "boot_id": code,
        "serial": name,
        "model": name,
        "firmware": name,
        "agent": name,
        "capabilities": [code],
    }


def report(payload: str) -> dict[str, object]:
    at = datetime.now(UTC).isoformat()
    event = {"at": at, "code": "card_reader_fault", "severity": "critical", "text": payload}
    return {"status": "fault", "metrics": {"temperature_c": 44.0, "paper_pct": 3.0}, "events": [event]}


@pytest_asyncio.fixture(loop_scope="session")
async def victim(browser: Browser, haunted: SeededTMS, faults: list[str]) -> AsyncIterator[Page]:
    person = await enter(browser, haunted, "tanaka")
    watch(person.context, faults)
    page = await person.context.new_page()

    async def opened(dialog: Dialog) -> None:
        faults.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", opened)
    yield page
    await person.context.close()


async def unhurt(page: Page) -> None:
    """The page is alive, and nothing ran in it."""
    await live(page)
    assert await page.evaluate("() => 'hurt' in window") is False
    assert await page.locator("#proof").count() == await page.locator("main").count() == 1


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_runs_what_terminals_and_names_say(
    haunted: SeededTMS, kiosks: list[Kiosk], victim: Page, path: str
):
    await victim.goto(haunted.url + path)

    await unhurt(victim)


async def test_no_frame_runs_what_terminals_say(haunted: SeededTMS, kiosks: list[Kiosk], victim: Page):
    await victim.goto(f"{haunted.url}/alerts/")
    await unhurt(victim)

    async with asyncio.TaskGroup() as group:
        for kiosk, payload in zip(kiosks, PAYLOADS, strict=True):
            group.create_task(kiosk.say(**report(payload[::-1] + payload)))

    await expect(victim.locator("#alerts > li")).not_to_have_count(0)
    await unhurt(victim)


async def test_the_pages_of_single_terminals_and_alerts_run_nothing(
    haunted: SeededTMS, kiosks: list[Kiosk], victim: Page
):
    alerts = [pk for (pk,) in haunted.query("SELECT id FROM alerts_alert ORDER BY id")]
    for uid, alert in zip(HOSTILE_UIDS[::10], alerts[::20], strict=True):
        for path in (f"/terminals/{uid}/", f"/alerts/{alert}/"):
            await victim.goto(haunted.url + path)

            await unhurt(victim)


async def test_the_answer_to_a_command_runs_nothing(haunted: SeededTMS, kiosks: list[Kiosk], victim: Page):
    kiosk = kiosks[0]
    await victim.goto(f"{haunted.url}/terminals/{kiosk.uid}/")
    await live(victim)
    await victim.get_by_role("button", name="Send").click()
    request = await kiosk.receive()

    await kiosk.send({"jsonrpc": "2.0", "id": request["id"], "result": {"said": "".join(PAYLOADS)}})

    await expect(victim.locator("#commands pre")).to_contain_text("hurt=1")
    await unhurt(victim)
