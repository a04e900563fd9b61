"""A terminal that is a real agent, counted."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from tms_agent.agent import Agent
from tms_agent.device.source import CommandOutcome, CommandRun, DeviceIdentity, DeviceSample
from tms_agent.options import Options
from tms_agent.protocol import frames
from tms_agent.protocol.credential import PlainCredential
from tms_agent.storage.state import AgentState


class Counting:
    """A source with small reports: only their arrival matters."""

    identity = DeviceIdentity(model="COUNT")
    capabilities: Sequence[str] = ()

    def uptime_s(self) -> float:
        return 0.0

    def sample(self) -> DeviceSample:
        return DeviceSample("ok", {"temperature_c": round(random.uniform(30, 50), 1)})

    async def handle(self, command: frames.CommandFrame, run: CommandRun) -> CommandOutcome:
        return CommandOutcome()


class AgentTerminal:
    """A real agent: the reports it made, and TMS's acknowledgements."""

    def __init__(self, url: str, credential: PlainCredential, *, on_link: Callable[[], None] = lambda: None) -> None:
        self.uid = credential.uid
        self.acked = 0
        self.linked_at = 0.0
        self.losses = 0
        self._was_linked = False
        self._agent = Agent(url, credential, source=Counting(), options=Options(interval_s=1), on_change=self._changed)

    @property
    def boot_id(self) -> str:
        return self._agent.state.boot_id

    @property
    def made(self) -> int:
        return self.acked + self.waiting

    @property
    def waiting(self) -> int:
        return len(self._agent.spool)

    @property
    def is_linked(self) -> bool:
        return self._agent.state.is_connected

    @property
    def activity(self) -> str:
        return "is not linked"

    def report(self) -> None:
        self._agent.report_now()

    async def run(self) -> None:
        await self._agent.run()

    async def stop(self) -> None:
        self._agent.crash()
        await asyncio.sleep(0)

    def _changed(self, state: AgentState) -> None:
        self.acked = max(self.acked, state.acked_seq)
        if state.is_connected and not self._was_linked:
            self.linked_at = time.monotonic()
        self.losses += self._was_linked and not state.is_connected
        self._was_linked = state.is_connected
