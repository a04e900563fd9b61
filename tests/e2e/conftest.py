"""One Chromium per worker; every test has a context of its own, which keeps whatever went wrong in the page."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from benchmarks.load.chromium import CHROMIUM, QUIET
from tests.e2e.faults import WAIT_MS, watch
from tests.e2e.hand_board import ScriptedBoard
from tests.e2e.house import Person, SeededTMS, enter
from tests.e2e.people import Enter

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser lives on one event loop, so all its tests share the session's."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def faults() -> AsyncIterator[list[str]]:
    """What went wrong in any page: a script threw, or the page broke its own content policy."""
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


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededTMS]:
    with SeededTMS(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser, house: SeededTMS, faults: list[str]) -> AsyncIterator[Enter]:
    """Lets someone enter: `await person("mori", size="phone")`. Everybody leaves at the end of the test."""
    people: list[Person] = []

    async def come(username: str = "tanaka", **options: Any) -> Person:
        people.append(await enter(browser, house, username, **options))
        watch(people[-1].context, faults)
        return people[-1]

    yield come
    for one in people:
        await one.context.close()
