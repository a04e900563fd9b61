import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agent.fake_tms import FakeTMS
from tests.agent.http_proxy import Proxy
from tests.agent.running_agent import CREDENTIAL, RunningAgent


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


type StartProcess = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def agent(tms: FakeTMS, tmp_path: Path) -> AsyncIterator[StartProcess]:
    """Starts agents as processes that connect to `tms` and share a spool."""
    running: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "tms_agent", "--url", tms.url, "--spool", str(tmp_path / "spool"), *arguments]
        environment = os.environ | {"TMS_AGENT_CREDENTIAL": str(CREDENTIAL)} | variables
        running.append(await asyncio.create_subprocess_exec(*command, env=environment, stderr=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Ask for it before `start`, whose agents have to end first."""
    made = Proxy()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Log lines of the agents."""
    caplog.set_level("INFO", logger="tms_agent")
    return lambda: caplog.text
