"""TMS in one process: kill -9 under load, and a restart."""

import asyncio
import time

from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import SingleProcess
from tests.faults.scenario.scenario import Scenario

BEFORE, MEANWHILE, AFTER = 500, 200, 500
"""Reports: acknowledged before the kill, waiting at the start, acknowledged after it."""


async def kill_the_process(scenario: Scenario[SingleProcess], finding: Finding) -> None:
    observer, tms = scenario.observer, scenario.environment.tms
    await observer.wait_for_acknowledgements(BEFORE)
    async with scenario.during_fault(finding) as window:
        await asyncio.to_thread(tms.kill)
        killed_at = time.monotonic()
        await observer.wait_for_reports(MEANWHILE)
        await asyncio.to_thread(tms.start)
        window.end()
        back_s = await scenario.seconds_until_back(observer.terminals, within_s=60, since=killed_at)
        await observer.wait_for_acknowledgements(AFTER)
    finding.expect("all terminals reconnected", back_s, at_most=30, unit="s")


FAULTS = (
    Fault(
        "kill-single",
        "terminals reconnect within 30 s, without false alerts",
        "kill -9 and restart of the only process",
        kill_the_process,
    ),
)
