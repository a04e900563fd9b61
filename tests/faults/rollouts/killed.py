"""Processes die, and the database is away, while a rollout updates terminals in waves."""

import asyncio
import time
from collections import Counter

from tests.faults.fault import Fault, Finding
from tests.faults.half_done.requests_killed import prepared
from tests.faults.processes.leader import leading_clock
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
VERSION = "1.1.0"
SETTLE_S, AT_ONCE, AWAY_S = 5, 30, 30.0
CLOCK_DIES_AT, NODE_DIES_AT, DATABASE_LEAVES_AT = 0.2, 0.4, 0.6
"""Shares of the terminals that had installed it by then."""
LASTS_S = 600

STATE = "SELECT state, reason FROM rollouts_rollout WHERE id = %s"
ITEMS = """
SELECT t.uid, i.state, i.reason, i.error FROM rollouts_rolloutitem i JOIN fleet_terminal t ON t.id = i.terminal_id
WHERE i.rollout_id = %s
"""


async def kill_during_a_rollout(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    scenario.expect_alerts_for(scenario.observer.terminals)
    terminals = [each for each in scenario.observer.terminals if isinstance(each, UpdatableTerminal)]
    cluster = scenario.environment
    async with scenario.during_fault(finding) as window:
        scenario.expect_alerts_for(scenario.observer.terminals)
        made = await prepared(scenario, f"roll_out('{VERSION}', {SETTLE_S}, {AT_ONCE})")
        rollout, began_at = made["pk"], time.monotonic()
        await installed(terminals, CLOCK_DIES_AT)
        clock = await leading_clock(scenario)
        await asyncio.to_thread(clock.kill)
        await installed(terminals, NODE_DIES_AT)
        node = cluster.nodes[0]
        await asyncio.to_thread(node.kill)
        await installed(terminals, DATABASE_LEAVES_AT)
        await asyncio.to_thread(cluster.postgresql.stop)
        await asyncio.sleep(AWAY_S)
        await asyncio.to_thread(cluster.postgresql.start)
        await asyncio.to_thread(clock.start)
        await asyncio.to_thread(node.start)
        await over(scenario, rollout, began_at)
        finding.figures["the rollout was over after s"] = time.monotonic() - began_at
        window.end()
    await count(scenario, finding, terminals, rollout)


async def installed(terminals: list[UpdatableTerminal], share: float) -> None:
    async with asyncio.timeout(LASTS_S):
        while sum(each.software.installs > 0 for each in terminals) < share * len(terminals):
            await asyncio.sleep(0.1)


async def over(scenario: Scenario[FaultCluster], rollout: object, began_at: float) -> None:
    while time.monotonic() - began_at < LASTS_S:
        if (await scenario.aquery(STATE, rollout))[0][0] not in ("planned", "running"):
            return
        await asyncio.sleep(1)


async def count(
    scenario: Scenario[FaultCluster], finding: Finding, terminals: list[UpdatableTerminal], rollout: object
) -> None:
    ((state, reason),) = await scenario.aquery(STATE, rollout)
    items = {uid: (state, reason, error) for uid, state, reason, error in await scenario.aquery(ITEMS, rollout)}
    states = Counter(" ".join(filter(None, item)) for item in items.values())
    print(f"rollout {state} {reason}; {dict(states)}")
    wrong = sum((items[each.uid][0] == "done") != (each.software.version == VERSION) for each in terminals)
    finding.expect("terminals that were updated twice", sum(t.software.installs > 1 for t in terminals), at_most=0)
    finding.expect("items that say something else than their terminal", wrong, at_most=0)
    finding.expect("rollouts that did not finish", int(state != "finished"), at_most=0)
    finding.expect("terminals without the update", sum(t.software.version != VERSION for t in terminals), at_most=0)
    finding.figures |= {f"items {name}"[:60]: number for name, number in sorted(states.items())}


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
