"""An agent that runs against a fake TMS."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.agent.fake_source import FakeSource
from tests.agent.fake_tms import DEADLINE_S
from tms_agent.agent import Agent
from tms_agent.connection.backoff import Backoff
from tms_agent.options import Options
from tms_agent.protocol import frames
from tms_agent.protocol.credential import PlainCredential
from tms_agent.storage.state import AgentState

CREDENTIAL = PlainCredential("T-1", "s" * 43)


class RunningAgent:
    """A running agent, and what its caller was notified of. Its backoff is as short as the rules allow."""

    def __init__(self, url: str, **options: Any) -> None:
        self.source = options.pop("source", None) or FakeSource()
        self.states: list[AgentState] = []
        self._changed = asyncio.Event()
        chosen = options.pop("options", None) or Options(jitter=lambda: 1.0)
        self.agent = Agent(
            url,
            CREDENTIAL,
            source=self.source,
            backoff=Backoff(jitter=lambda: 0.0),
            options=chosen,
            on_change=self._note,
            **options,
        )
        self.task = asyncio.create_task(self.agent.run())

    async def until(self, holds: Callable[[AgentState], bool]) -> AgentState:
        async with asyncio.timeout(DEADLINE_S):
            while not holds(self.agent.state):
                self._changed.clear()
                await self._changed.wait()
        return self.agent.state

    async def ended(self) -> frames.GoodbyeFrame | None:
        async with asyncio.timeout(DEADLINE_S):
            return await self.task

    async def end(self) -> None:
        self.agent.crash()
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    def _note(self, state: AgentState) -> None:
        self.states.append(state)
        self._changed.set()
