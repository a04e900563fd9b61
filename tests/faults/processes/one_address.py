"""A whole chain behind one address while every node is replaced."""

import asyncio
import re

from deploy.processes.node import NodeProcess
from tests.faults.fault import Fault, Finding
from tests.faults.processes.nodes import deploy
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario

TERMINALS, SITES, REPORT_EVERY_S = 10_000, 20, 10.0
ADDRESS = "203.0.113.9"
SETTINGS = {
    "TMS_CONNECTIONS_PER_ADDRESS": str(TERMINALS),
    "TMS_HEARTBEAT_S": "30",
    "TMS_LEASE_GRACE_S": "15",
    "TMS_OFFLINE_AFTER_S": "30",
    "TMS_RECONNECT_GRACE_S": "90",
    "TMS_PING_INTERVAL_S": "20",
    "TMS_PING_TIMEOUT_S": "13",
    "TMS_DRAIN_SPREAD_S": "30",
}
"""The settings of production, except for the limit, which must be raised for such a chain according to its
documentation.
"""
REFUSED = re.compile(r'^tms_connection_limit_refusals_total\{by="address"\} (\S+)', re.MULTILINE)


def chain_scenario() -> Scenario[FaultCluster]:
    environment = FaultCluster(3, clocks=2, settings=SETTINGS)
    return Scenario(
        environment,
        agents=0,
        light=TERMINALS,
        report_every_s=REPORT_EVERY_S,
        sites=SITES,
        headers={"X-Forwarded-For": ADDRESS},
    )


async def deploy_to_a_chain(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    refused = 0.0

    async def count(node: NodeProcess) -> None:
        nonlocal refused
        refused += await asyncio.to_thread(refusals, node)

    await deploy(scenario, finding, before_each=count)
    for node in scenario.environment.nodes:
        await count(node)
    finding.expect("links refused because of their address", refused, at_most=0)


def refusals(node: NodeProcess) -> float:
    return sum(map(float, REFUSED.findall(node.get("/metrics")[1])))


FAULTS = (
    Fault(
        "deploy-chain",
        "the drain spreads reconnects behind one address",
        f"every node is replaced under {TERMINALS:,} terminals behind one address",
        deploy_to_a_chain,
    ),
)
