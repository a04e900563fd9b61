"""Terminals that are real agents with simulated software: what TMS rolls out is downloaded, checked and installed."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tests.faults.scenario.agents import AgentTerminal, Counting
from tests.support.release_key import KEY_NAME, PRIVATE_KEY
from tms.demo.software import SimulatedSoftware, management_of
from tms_agent.agent import Agent
from tms_agent.device.source import DeviceIdentity, DeviceSample
from tms_agent.management import ManagementSettings
from tms_agent.options import Options
from tms_agent.protocol.credential import PlainCredential
from tms_agent.storage.command_journal import CommandJournal
from tms_agent.storage.state import AgentState
from tms_agent.updating.manifest import Manifest

KEYS = {KEY_NAME: PRIVATE_KEY.public_key().public_bytes_raw()}
MODEL, FIRMWARE = "COUNT", "1.0.0"
AWAY_S = 2.0, 6.0
TRIAL_S = 300.0
"""How long new software may need to reach TMS before it is undone. The default of agents is 600 s."""
USED_PCT, FREE_PCT = 40.0, 60.0
"""The memory that is used after a start, and what is left: with nothing left the software crashes."""


class CountedSoftware(SimulatedSoftware):
    """Has two partitions, and counts how often each version was installed, and undone."""

    def __init__(self, uid: str, version: str, folder: Path, on_undone: Callable[[], None]) -> None:
        super().__init__(uid, version, folder)
        self.installs: Counter[str] = Counter()
        self.undone: Counter[str] = Counter()
        self.started_at = time.monotonic()
        self._on_undone = on_undone
        self._former = self.version, self.behaviour

    async def install(self, file: Path, manifest: Manifest) -> None:
        await super().install(file, manifest)
        self.installs[manifest.version] += 1
        self._former = self.version, self.behaviour

    async def roll_back(self) -> None:
        """Restart with the version before, because this one did not reach TMS."""
        self.undone[self.version] += 1
        self._next = self._former
        self._on_undone()

    def restart(self) -> None:
        super().restart()
        self.started_at = time.monotonic()

    @property
    def lasts_s(self) -> float | None:
        """Seconds from a start until its memory is used up; None if it leaks nothing."""
        leaks = self.behaviour.leaks_pct_per_hour
        return 3600 * FREE_PCT / leaks if leaks else None

    @property
    def memory_pct(self) -> float:
        hours = (time.monotonic() - self.started_at) / 3600
        return min(100.0, USED_PCT + self.behaviour.leaks_pct_per_hour * hours)


class Updatable(Counting):
    """A source whose firmware is that of its software."""

    def __init__(self, software: CountedSoftware) -> None:
        self._software = software

    @property
    def identity(self) -> DeviceIdentity:  # type: ignore[override]  # the other one is constant
        return DeviceIdentity(model=MODEL, firmware=self._software.version)

    def uptime_s(self) -> float:
        return time.monotonic() - self._software.started_at

    def sample(self) -> DeviceSample:
        sample = super().sample()
        return replace(sample, metrics={**sample.metrics, "memory_pct": round(self._software.memory_pct, 1)})


def management(software: CountedSoftware) -> ManagementSettings:
    settings = management_of(software, KEYS)
    assert settings.updates
    return replace(settings, updates=replace(settings.updates, confirm_within_s=TRIAL_S))


class UpdatableTerminal(AgentTerminal):
    def __init__(
        self, url: str, credential: PlainCredential, headers: Mapping[str, str] = {}, *, interval_s: float = 5
    ) -> None:
        super().__init__(url, credential)
        self._folder = tempfile.TemporaryDirectory(prefix="tms-updatable-")
        folder = Path(self._folder.name)
        self.software = CountedSoftware(credential.uid, FIRMWARE, folder, on_undone=self._restart_without_goodbye)
        options = Options(interval_s=interval_s, management=management(self.software))
        source = Updatable(self.software)
        journal = CommandJournal(folder / "commands")
        self._agent = Agent(url, credential, source=source, commands=journal, options=options, on_change=self._changed)
        self._is_stopping = False
        self._counted_boot = ""
        self.crashes = 0

    async def run(self) -> None:
        while not self._is_stopping:
            crash = self._crash_later()
            await self._agent.run()
            if crash:
                crash.cancel()
            if not self._is_stopping:
                await asyncio.sleep(random.uniform(*AWAY_S))
                self.software.restart()
                self.acked = 0  # of its next boot

    async def stop(self) -> None:
        self._is_stopping = True
        await super().stop()
        self._folder.cleanup()

    def has_twice(self, version: str) -> bool:
        """Whether it installed a version more often than was needed."""
        return self.software.installs[version] > 1 + self.software.undone[version]

    def _crash_later(self) -> asyncio.TimerHandle | None:
        """Crash when the memory is used up, without a goodbye."""
        lasts_s = self.software.lasts_s
        return None if lasts_s is None else asyncio.get_running_loop().call_later(lasts_s, self._crash)

    def _crash(self) -> None:
        self.crashes += 1
        self._restart_without_goodbye()

    def _restart_without_goodbye(self) -> None:
        self._agent.crash()

    def _changed(self, state: AgentState) -> None:
        if state.is_connected:
            self._counted_boot = state.boot_id
        elif state.boot_id != self._counted_boot:
            state = replace(state, acked_seq=0)  # still that of the boot before
        super()._changed(state)
