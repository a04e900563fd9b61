"""Faults while a wave of a rollout is installed and watched."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from tests.faults.fault import Fault, Finding
from tests.faults.network.route import Route
from tests.faults.rollouts.observed import ObservedRollout, updatable
from tests.faults.rollouts.updatable import UpdatableTerminal
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario
from tms_agent.protocol.credential import PlainCredential

TERMINALS, SITES = int(os.environ.get("FAULT_TERMINALS", "500")), 40
SETTINGS = {
    # As in production: what is measured is the rollout, not the detection of lost links.
    "TMS_HEARTBEAT_S": "30",
    "TMS_LEASE_GRACE_S": "30",
    "TMS_OFFLINE_AFTER_S": "60",
    "TMS_RECONNECT_GRACE_S": "90",
    "TMS_PING_INTERVAL_S": "20",
    "TMS_PING_TIMEOUT_S": "20",
    "TMS_CONNECTIONS_PER_ADDRESS": "10000",
    "TMS_DOWNLOADS_AT_ONCE": "100",
    "TMS_ROLLOUT_HOUR_S": "60",
}
REPORT_EVERY_S = 10.0
SETTLE_S, AT_ONCE, PER_SITE = 20, 60, 3
WATCH_HOURS = 0.035
"""Two minutes, and as long again without enough evidence, so that what a fault did is compared before the last wave."""
BEGINS_AT = 0.1
"""The share of the terminals that had installed it when the fault begins: the second wave is under way."""
LASTS_S = 1_800

WORKING = """
SELECT count(*) FROM rollouts_rolloutitem WHERE rollout_id = %s
AND state IN ('ordered', 'downloading', 'installing', 'restarting')
"""
WORKING_AT_SITE = f"""
{WORKING} AND terminal_id IN (SELECT t.id FROM fleet_terminal t JOIN fleet_site s ON s.id = t.site_id WHERE s.code = %s)
"""


class WaveScenario(Scenario[FaultCluster]):
    """The terminals of the first site share a route to TMS."""

    route: Route
    site = "F0"

    @property
    def behind_the_route(self) -> list[UpdatableTerminal]:
        return [each for each in updatable(self.observer.terminals) if is_of_first_site(each.uid)]

    async def _fill(self, undo: AsyncExitStack) -> None:
        self.route = await undo.enter_async_context(Route(self.environment.link))
        self._light_type = self._terminal
        await super()._fill(undo)

    def _terminal(self, link: str, key: PlainCredential, headers: Mapping[str, str]) -> UpdatableTerminal:
        own = self.route.link if is_of_first_site(key.uid) else link
        return UpdatableTerminal(own, key, headers, interval_s=30)


def is_of_first_site(uid: str) -> bool:
    """Terminals are spread over the sites in turn (`tests.faults.scenario.enrol.fleet`)."""
    return int(uid.removeprefix("T")) % SITES == 0


type Inject = Callable[[WaveScenario, ObservedRollout], Awaitable[None]]
"""Begin a fault, wait, and end it."""


class WaveFault(NamedTuple):
    name: str
    title: str
    inject: Inject
    is_site_lost: bool = False
    """Alerts for the terminals of the first site are right."""


async def kill_a_node(scenario: WaveScenario, rollout: ObservedRollout) -> None:
    node = scenario.environment.nodes[0]
    await asyncio.to_thread(node.kill)
    await asyncio.sleep(60)
    await asyncio.to_thread(node.start)


async def stop_postgresql(scenario: WaveScenario, rollout: ObservedRollout) -> None:
    await asyncio.to_thread(scenario.environment.postgresql.stop)
    await asyncio.sleep(120)
    await asyncio.to_thread(scenario.environment.postgresql.start)


async def cut_a_site(scenario: WaveScenario, rollout: ObservedRollout) -> None:
    """While one of its terminals is updated."""
    async with asyncio.timeout(LASTS_S):
        while not (await scenario.aquery(WORKING_AT_SITE, rollout.pk, scenario.site))[0][0]:
            await asyncio.sleep(0.2)
    scenario.route.cut()
    await asyncio.sleep(240)
    scenario.route.repair()


async def stop_tms(scenario: WaveScenario, rollout: ObservedRollout) -> None:
    """Every node and clock is killed; the proxy and the stores stay."""
    cluster = scenario.environment
    processes = (*cluster.clocks, *cluster.nodes)
    for process in processes:
        await asyncio.to_thread(process.kill)
    await asyncio.sleep(600)
    for process in processes:
        process.launch()
    for process in processes:
        await asyncio.to_thread(process.wait_until_ready)


async def disturb(scenario: WaveScenario, finding: Finding, fault: WaveFault) -> None:
    terminals = updatable(scenario.observer.terminals)
    async with scenario.during_fault(finding) as window:
        if fault.is_site_lost:
            scenario.expect_alerts_for(scenario.behind_the_route)
        rollout = await begin(scenario, terminals)
        await rollout.wait_until_installed(BEGINS_AT, within_s=LASTS_S)
        finding.figures["at work when it began"] = (await scenario.aquery(WORKING, rollout.pk))[0][0]
        finding.figures["terminals updated when it began"] = rollout.installs
        began_at = time.monotonic()
        await fault.inject(scenario, rollout)
        finding.figures["it lasted s"] = time.monotonic() - began_at
        finding.figures["terminals updated when it ended"] = rollout.installs
        state, reason = await rollout.wait_until_over(within_s=LASTS_S)
        finding.figures["the rollout was over after s"] = time.monotonic() - rollout.began_at
        window.end()
    finding.expect(f"false stops {reason}".strip(), int(state == "stopped"), at_most=0)
    await rollout.expect_right(finding, state=state)
    await rollout.add_figures(finding)


async def begin(scenario: WaveScenario, terminals: Sequence[UpdatableTerminal], **chosen: float) -> ObservedRollout:
    """A rollout of the next version."""
    newest = max(int(each.software.version.split(".")[1]) for each in terminals)
    limits = {"settle_s": SETTLE_S, "at_once": AT_ONCE, "per_site": PER_SITE, "watch_hours": WATCH_HOURS} | chosen
    return await ObservedRollout.begin(scenario, terminals, f"1.{newest + 1}.0", **limits)


def wave_scenario() -> WaveScenario:
    environment = FaultCluster(3, clocks=2, settings=SETTINGS)
    return WaveScenario(environment, agents=0, light=TERMINALS, report_every_s=REPORT_EVERY_S, sites=SITES)


WAVE_FAULTS = (
    WaveFault("node-in-wave", "a node is killed, and started again after a minute", kill_a_node),
    WaveFault("database-in-wave", "PostgreSQL is stopped for two minutes", stop_postgresql),
    WaveFault("site-in-wave", "the network of one site is cut for four minutes", cut_a_site, is_site_lost=True),
    WaveFault("tms-in-wave", "every node and clock is killed, and started again after ten minutes", stop_tms),
)


def _fault(one: WaveFault) -> Fault[WaveScenario]:
    async def inject(scenario: WaveScenario, finding: Finding) -> None:
        await disturb(scenario, finding, one)

    return Fault(
        one.name,
        "no false stop, nobody is updated twice, and the numbers are right",
        f"a wave of a rollout updates {TERMINALS} terminals, and {one.title}",
        inject,
    )


FAULTS = tuple(map(_fault, WAVE_FAULTS))
