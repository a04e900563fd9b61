"""The clock that leads dies, or hangs: R33."""

import asyncio
import time

from deploy.processes.service import Service
from tests.faults.fault import Fault, Finding
from tests.faults.place import Several
from tests.faults.scene import Scene

LEADS = "SELECT node FROM ops_beat WHERE name = 'clock'"
UNRESOLVED_TWICE = """
SELECT count(*) FROM (
    SELECT 1 FROM alerts_alert WHERE state <> 'resolved' GROUP BY rule_id, terminal_id HAVING count(*) > 1
) AS twice
"""
STEPS_TWICE = """
SELECT count(*) FROM (SELECT 1 FROM alerts_transition GROUP BY alert_id, kind HAVING count(*) > 1) AS twice
"""


async def kill_the_leader(scene: Scene[Several], finding: Finding) -> None:
    leader = await leading(scene)
    async with scene.disturbed(finding) as disturbance:
        await asyncio.to_thread(leader.kill)
        disturbance.is_over()
        await another_leads(scene, finding, leader)
    await asyncio.to_thread(leader.start)


async def hang_the_leader(scene: Scene[Several], finding: Finding) -> None:
    """It keeps its connection, and so the lock."""
    leader = await leading(scene)
    async with scene.disturbed(finding) as disturbance:
        leader.pause()
        disturbance.is_over()
        try:
            await another_leads(scene, finding, leader)
        finally:
            leader.resume()
        await asyncio.sleep(2)  # what it does when it wakes up and believes to lead


async def leading(scene: Scene[Several]) -> Service:
    """Of whom the last beat is."""
    ((name,),) = await scene.ask(LEADS)
    return next(clock for clock in scene.place.clocks if clock.name == name)


async def another_leads(scene: Scene[Several], finding: Finding, leader: Service) -> None:
    began_at, taken_s = time.monotonic(), None
    while time.monotonic() - began_at < 30:
        if (await leading(scene)) is not leader:
            taken_s = time.monotonic() - began_at
            break
        await asyncio.sleep(0.1)
    finding.promise("another leads", taken_s, at_most=10, unit="s")
    ((alerts,),), ((steps,),) = await scene.ask(UNRESOLVED_TWICE), await scene.ask(STEPS_TWICE)
    finding.promise("fired twice", alerts + steps, at_most=0)


FAULTS = (
    Fault("clock-kill", "R33", "kill -9 of the clock that leads", kill_the_leader, is_quick=True),
    Fault("clock-hang", "R33", "the clock that leads hangs (SIGSTOP)", hang_the_leader),
)
