"""TMS in one process, killed: kill -9 under load, and a new start."""

import asyncio
import time

from tests.faults.fault import Fault, Finding
from tests.faults.place import Single
from tests.faults.scene import Scene

BEFORE, MEANWHILE, AFTER = 500, 200, 500
"""Reports: acknowledged before the kill, waiting at the start, acknowledged after it."""


async def kill_the_process(scene: Scene[Single], finding: Finding) -> None:
    observer, tms = scene.observer, scene.place.tms
    await observer.acknowledged(BEFORE)
    async with scene.disturbed(finding) as disturbance:
        await asyncio.to_thread(tms.kill)
        killed_at = time.monotonic()
        await observer.made_more(MEANWHILE)
        await asyncio.to_thread(tms.start)
        disturbance.is_over()
        back_s = await scene.all_back(observer.terminals, within_s=60, since=killed_at)
        await observer.acknowledged(AFTER)
    finding.promise("all terminals back", back_s, at_most=30, unit="s")


FAULTS = (Fault("kill-single", "R29", "kill -9 of the only process, and a new start", kill_the_process),)
