"""One Chromium per worker; every test has its own context, which records errors in the page."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from benchmarks.load.boards.chromium import CHROMIUM, QUIET
from tests.e2e.faults import WAIT_MS, watch
from tests.e2e.people import Enter
from tests.e2e.scripted_board import ScriptedBoard
from tests.e2e.seeded_tms import Person, SeededTMS, sign_in_as
from tests.support.servers.mail_server import MailServer, serving_mail

HERE = f"{Path(__file__).parent}/"
FEW_PROCESSES = [
    "--disable-features=SpareRendererForSitePerProcess",  # for a page that most contexts never open
    "--disable-site-isolation-trials",
    "--renderer-process-limit=1",  # for each context
    "--in-process-gpu",
]
"""Starting a process takes longer than loading a page."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser lives on one event loop, so all its tests share the session's."""
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *FEW_PROCESSES])
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def faults() -> AsyncIterator[list[str]]:
    """Errors in any page: an exception of a script, or a violation of the Content Security Policy."""
    faults: list[str] = []
    yield faults
    assert faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, faults: list[str]) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo", color_scheme="dark")
    watch(context, faults)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def board() -> AsyncIterator[ScriptedBoard]:
    async with ScriptedBoard.serve() as board:
        yield board


@pytest.fixture(scope="package")
def mail_server() -> Iterator[MailServer]:
    yield from serving_mail()


@pytest.fixture(scope="package")
def tms(tmp_path_factory: pytest.TempPathFactory, mail_server: MailServer) -> Iterator[SeededTMS]:
    with SeededTMS(tmp_path_factory.mktemp("seeded-tms"), TMS_EMAIL_URL=mail_server.url) as tms:
        yield tms


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser, tms: SeededTMS, faults: list[str]) -> AsyncIterator[Enter]:
    """Opens a browser for a person: `await person("mori", size="phone")`. All are closed at the end of the test."""
    people: list[Person] = []

    async def open_browser(username: str = "tanaka", **options: Any) -> Person:
        people.append(await sign_in_as(browser, tms, username, **options))
        watch(people[-1].context, faults)
        return people[-1]

    yield open_browser
    for one in people:
        await one.context.close()
