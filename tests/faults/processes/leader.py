"""The leading clock dies, or hangs."""

import asyncio
import time

from deploy.processes.service import Service
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario

LEADER = "SELECT node FROM ops_heartbeat WHERE name = 'clock'"
DUPLICATE_ALERTS = """
SELECT count(*) FROM (
    SELECT 1 FROM alerts_alert WHERE state <> 'resolved' GROUP BY rule_id, terminal_id HAVING count(*) > 1
) AS twice
"""
DUPLICATE_TRANSITIONS = """
SELECT count(*) FROM (SELECT 1 FROM alerts_transition GROUP BY alert_id, kind HAVING count(*) > 1) AS twice
"""


async def kill_the_leader(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    leader = await leading_clock(scenario)
    async with scenario.during_fault(finding) as window:
        await asyncio.to_thread(leader.kill)
        window.end()
        await await_other_leader(scenario, finding, leader)
    await asyncio.to_thread(leader.start)


async def hang_the_leader(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """The paused process keeps its connection, and so the lock."""
    leader = await leading_clock(scenario)
    async with scenario.during_fault(finding) as window:
        leader.pause()
        window.end()
        try:
            await await_other_leader(scenario, finding, leader)
        finally:
            leader.resume()
        await asyncio.sleep(2)  # its actions after it resumes, while it still considers itself the leader


async def leading_clock(scenario: Scenario[FaultCluster]) -> Service:
    """The clock that recorded the last heartbeat."""
    ((name,),) = await scenario.aquery(LEADER)
    return next(clock for clock in scenario.environment.clocks if clock.name == name)


async def await_other_leader(scenario: Scenario[FaultCluster], finding: Finding, leader: Service) -> None:
    began_at, taken_s = time.monotonic(), None
    while time.monotonic() - began_at < 30:
        if (await leading_clock(scenario)) is not leader:
            taken_s = time.monotonic() - began_at
            break
        await asyncio.sleep(0.1)
    finding.expect("another clock leads", taken_s, at_most=10, unit="s")
    ((alerts,),), ((steps,),) = await scenario.aquery(DUPLICATE_ALERTS), await scenario.aquery(DUPLICATE_TRANSITIONS)
    finding.expect("duplicate alerts or transitions", alerts + steps, at_most=0)


FAULTS = (
    Fault(
        "clock-kill",
        "another clock leads within 10 s, and nothing happens twice",
        "kill -9 of the leading clock",
        kill_the_leader,
        is_quick=True,
    ),
    Fault(
        "clock-hang",
        "another clock leads within 10 s, and nothing happens twice",
        "the leading clock hangs (SIGSTOP)",
        hang_the_leader,
    ),
)
