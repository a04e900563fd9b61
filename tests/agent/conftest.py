from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.agent.fake_tms import FakeTMS
from tests.agent.running_agent import Running


@pytest.fixture
async def tms() -> AsyncIterator[FakeTMS]:
    async with FakeTMS() as fake:
        yield fake


@pytest.fixture
async def start(tms: FakeTMS) -> AsyncIterator[Callable[..., Running]]:
    """Starts agents that dial `tms`, and ends them."""
    running: list[Running] = []

    def start(**options: Any) -> Running:
        running.append(Running(options.pop("url", tms.url), **options))
        return running[-1]

    yield start
    for one in running:
        await one.end()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What agents logged so far."""
    caplog.set_level("INFO", logger="tms.agent")
    return lambda: caplog.text
