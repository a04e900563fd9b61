"""One simulated terminal: a real agent on a simulated device, with the problems of its personality."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from tms.demo.device import REBOOT_S, DemoDevice
from tms.demo.personality import Personality, personality_of
from tms.demo.seed_file import DemoTerminal, StartCondition
from tms.demo.software import AWAY_S, management_of
from tms_agent.agent import Agent
from tms_agent.options import Options
from tms_agent.protocol import credential, frames
from tms_agent.updating.manifest import PublicKeys

FLAKY_EVERY_S, FLAKY_FOR_S = (60, 240), (5, 75)
REBOOT_EVERY_S = (180, 600)
CRASH_EVERY_S, CRASH_FOR_S = (120, 480), (5, 60)
LOOK_EVERY_S = 2.0
STUCK_S = 1_800.0


class Simulated:
    """One terminal: an agent that runs again whenever its device has restarted."""

    def __init__(
        self,
        terminal: DemoTerminal,
        url: str,
        condition: StartCondition,
        *,
        folder: Path | None = None,
        keys: PublicKeys | None = None,
    ) -> None:
        """`folder`: where it keeps what TMS changes. `keys`: of whom it accepts updates."""
        key = credential.parse(terminal.credential)
        if key is None:
            raise ValueError(f"{terminal.uid}: its credential in the fleet file cannot be read")
        self.uid = terminal.uid
        self.site = terminal.site
        self.key = key
        self.device = DemoDevice(terminal, personality_of(terminal.uid), folder=folder)
        if condition.paper_pct is not None:
            self.device.paper_pct = condition.paper_pct
        self.back_at = condition.back_at
        options = Options(management=management_of(self.device.software, keys or {}))
        self.agent = Agent(url, key, source=self.device, options=options)
        self.is_leaving = False

    async def live(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s + seconds_until(self.back_at))
        while not self.is_leaving:
            goodbye = await self.agent.run()
            if self.device.software.is_stuck:
                await asyncio.sleep(STUCK_S)
                self.device.software.is_stuck = False
            if not self.is_leaving:
                await asyncio.sleep(away_s(goodbye, self.device.random))
                self.device.restart()

    def leave(self) -> None:
        self.is_leaving = True
        self.agent.stop()

    async def run_out_of_memory(self) -> None:
        """Crash whenever the software has leaked everything."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self.device.has_run_out_of_memory:
                self.agent.crash()

    async def run_problems(self) -> None:
        """The recurring problem of this personality."""
        rng = self.device.random
        while True:
            match self.device.personality:
                case Personality.FLAKY:
                    await asyncio.sleep(rng.uniform(*FLAKY_EVERY_S))
                    self.agent.offline_for(rng.uniform(*FLAKY_FOR_S))
                case Personality.RESTLESS:
                    await asyncio.sleep(rng.uniform(*REBOOT_EVERY_S))
                    self.agent.stop("reboot", datetime.now(UTC) + timedelta(seconds=rng.uniform(*REBOOT_S)))
                case Personality.CRASHING:
                    await asyncio.sleep(rng.uniform(*CRASH_EVERY_S))
                    self.agent.crash()
                case _:
                    return


def away_s(goodbye: frames.GoodbyeFrame | None, rng: Random) -> float:
    """How long a device is away: until its announced return, or as long as a crash takes."""
    if goodbye is not None and goodbye.reason == "update":
        return rng.uniform(*AWAY_S)  # it announced the longest time that an installer may need
    if goodbye is None or goodbye.back_at is None:
        return rng.uniform(*CRASH_FOR_S)
    return seconds_until(goodbye.back_at)


def seconds_until(at: datetime | None) -> float:
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at else 0.0
