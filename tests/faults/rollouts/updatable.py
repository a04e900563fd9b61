"""Terminals that are real agents with simulated software: what TMS rolls out is downloaded, checked and installed."""

import asyncio
import random
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.faults.scenario.agents import AgentTerminal, Counting
from tests.support.release_key import KEY_NAME, PRIVATE_KEY
from tms.demo.software import SimulatedSoftware, management_of
from tms_agent.agent import Agent
from tms_agent.device.source import DeviceIdentity
from tms_agent.options import Options
from tms_agent.protocol.credential import PlainCredential
from tms_agent.storage.state import AgentState
from tms_agent.updating.manifest import Manifest

KEYS = {KEY_NAME: PRIVATE_KEY.public_key().public_bytes_raw()}
MODEL, FIRMWARE = "COUNT", "1.0.0"
AWAY_S = 2.0, 6.0


class CountedSoftware(SimulatedSoftware):
    installs = 0

    async def install(self, file: Path, manifest: Manifest) -> None:
        await super().install(file, manifest)
        self.installs += 1


class Updatable(Counting):
    """A source whose firmware is that of its software."""

    def __init__(self, software: SimulatedSoftware) -> None:
        self._software = software

    @property
    def identity(self) -> DeviceIdentity:  # type: ignore[override]  # the other one is constant
        return DeviceIdentity(model=MODEL, firmware=self._software.version)


class UpdatableTerminal(AgentTerminal):
    def __init__(self, url: str, credential: PlainCredential, headers: Mapping[str, str] = {}) -> None:
        super().__init__(url, credential)
        self._folder = tempfile.TemporaryDirectory(prefix="tms-updatable-")
        self.software = CountedSoftware(credential.uid, FIRMWARE, Path(self._folder.name))
        options = Options(interval_s=5, management=management_of(self.software, KEYS))
        source = Updatable(self.software)
        self._agent = Agent(url, credential, source=source, options=options, on_change=self._changed)
        self._is_stopping = False
        self._counted_boot = ""

    async def run(self) -> None:
        while not self._is_stopping:
            await self._agent.run()
            if not self._is_stopping:
                await asyncio.sleep(random.uniform(*AWAY_S))
                self.software.restart()
                self.acked = 0  # of its next boot

    async def stop(self) -> None:
        self._is_stopping = True
        await super().stop()
        self._folder.cleanup()

    def _changed(self, state: AgentState) -> None:
        if state.is_connected:
            self._counted_boot = state.boot_id
        elif state.boot_id != self._counted_boot:
            state = replace(state, acked_seq=0)  # still that of the boot before
        super()._changed(state)
