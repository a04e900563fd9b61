"""Processes die, and the database is away, while a rollout updates terminals in waves."""

import asyncio
import time

from tests.faults.fault import Fault, Finding
from tests.faults.processes.leader import leading_clock
from tests.faults.rollouts.observed import ObservedRollout, updatable
from tests.faults.rollouts.updatable import UpdatableTerminal
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario

TERMINALS, SITES = 150, 50
SETTINGS = {
    # As in production: what is measured is the rollout, not the detection of lost links.
    "TMS_OFFLINE_AFTER_S": "60",
    "TMS_RECONNECT_GRACE_S": "90",
    "TMS_CONNECTIONS_PER_ADDRESS": "10000",
    "TMS_DOWNLOADS_AT_ONCE": "100",
}
SETTLE_S, AT_ONCE, AWAY_S = 5, 30, 30.0
CLOCK_DIES_AT, NODE_DIES_AT, DATABASE_LEAVES_AT = 0.2, 0.4, 0.6
"""Shares of the terminals that had installed it by then."""
LASTS_S = 600


async def kill_during_a_rollout(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    terminals = updatable(scenario.observer.terminals)
    cluster = scenario.environment
    async with scenario.during_fault(finding) as window:
        scenario.expect_alerts_for(scenario.observer.terminals)
        rollout = await ObservedRollout.begin(scenario, terminals, "1.1.0", settle_s=SETTLE_S, at_once=AT_ONCE)
        await rollout.wait_until_installed(CLOCK_DIES_AT, within_s=LASTS_S)
        clock = await leading_clock(scenario)
        await asyncio.to_thread(clock.kill)
        await rollout.wait_until_installed(NODE_DIES_AT, within_s=LASTS_S)
        node = cluster.nodes[0]
        await asyncio.to_thread(node.kill)
        await rollout.wait_until_installed(DATABASE_LEAVES_AT, within_s=LASTS_S)
        await asyncio.to_thread(cluster.postgresql.stop)
        await asyncio.sleep(AWAY_S)
        await asyncio.to_thread(cluster.postgresql.start)
        await asyncio.to_thread(clock.start)
        await asyncio.to_thread(node.start)
        state, _ = await rollout.wait_until_over(within_s=LASTS_S)
        finding.figures["the rollout was over after s"] = time.monotonic() - rollout.began_at
        window.end()
    await rollout.expect_right(finding, state=state)


def rollout_scenario() -> Scenario[FaultCluster]:
    environment = FaultCluster(3, clocks=2, settings=SETTINGS)
    return Scenario(environment, agents=0, light=TERMINALS, report_every_s=5, sites=SITES, light_type=UpdatableTerminal)


FAULTS = (
    Fault(
        "kill-in-rollout",
        "each terminal is updated once, and no rollout stops without a reason",
        f"a rollout updates {TERMINALS} terminals, the clock and a node are killed, and the database is away for 30 s",
        kill_during_a_rollout,
    ),
)
