from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.agent.fake_tms import FakeTMS
from tests.agent.running_agent import RunningAgent


@pytest.fixture
async def tms() -> AsyncIterator[FakeTMS]:
    async with FakeTMS() as fake:
        yield fake


@pytest.fixture
async def start(tms: FakeTMS) -> AsyncIterator[Callable[..., RunningAgent]]:
    """Starts agents that connect to `tms`, and stops them."""
    running: list[RunningAgent] = []

    def start(**options: Any) -> RunningAgent:
        running.append(RunningAgent(options.pop("url", tms.url), **options))
        return running[-1]

    yield start
    for one in running:
        await one.end()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Log lines of the agents."""
    caplog.set_level("INFO", logger="tms_agent")
    return lambda: caplog.text
