"""Nodes die, or are replaced."""

import asyncio
import contextlib
import math
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import NamedTuple

from deploy.processes.node import NodeProcess
from tests.faults.fault import CONVERGED_WITHIN_S, Fault, Finding
from tests.faults.scenario.boards import Convergence
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.observer import ObservedTerminal
from tests.faults.scenario.processes import kill_tree
from tests.faults.scenario.scenario import Scenario

STALE = "SELECT count(*) FROM fleet_terminalstate WHERE node = %s AND presence = 'online'"
HANDSHAKES = re.compile(r'^tms_handshake_seconds_bucket{le="(\S+)"} (\S+)', re.MULTILINE)


class Handshakes(NamedTuple):
    """Number of handshakes of one process, by the time within which they were decided."""

    pid: int
    within: Mapping[float, float]


async def kill_a_node(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    by_node = {node: await scenario.linked_to(node) for node in scenario.environment.nodes}
    victim, linked = max(by_node.items(), key=lambda each: len(each[1]))

    async with scenario.during_fault(finding) as window:
        await asyncio.to_thread(victim.kill)
        killed_at = time.monotonic()
        window.end()
        back_s = await scenario.seconds_until_back(linked, within_s=60, since=killed_at)
        stale_s = await seconds_until_none(scenario, victim.name, since=killed_at, within_s=60)

    finding.expect("all its terminals reconnected", back_s, at_most=30, unit="s")
    finding.expect("stale presence cleared", stale_s, at_most=60, unit="s")
    finding.figures["terminals of the node"] = len(linked)
    await asyncio.to_thread(victim.start)


async def restart_all_nodes(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """Every node dies; each restarts while all terminals are reconnecting."""
    async with all_links_lost(scenario, finding):
        for node in scenario.environment.nodes:
            await asyncio.to_thread(node.kill)
        for node in scenario.environment.nodes:
            node.launch()
        for node in scenario.environment.nodes:
            await asyncio.to_thread(node.wait_until_ready)


async def kill_the_proxy(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    nginx = scenario.environment.nginx
    async with all_links_lost(scenario, finding):
        await asyncio.to_thread(kill_tree, nginx.pid)
        await asyncio.to_thread(nginx.wait_until_ended)
        await asyncio.to_thread(nginx.start)


@contextlib.asynccontextmanager
async def all_links_lost(scenario: Scenario[FaultCluster], finding: Finding) -> AsyncIterator[None]:
    """Every link and every board is lost; all must reconnect."""
    before = [await asyncio.to_thread(handshakes, node) for node in scenario.environment.nodes]
    async with scenario.during_fault(finding) as window:
        began_at = time.monotonic()
        yield
        boards_s, back_s = await asyncio.gather(
            Convergence(scenario.boards, scenario.query).verified(within_s=60),
            scenario.seconds_until_back(scenario.observer.terminals, within_s=60, since=began_at),
        )
        window.end()  # before, each terminal that reconnects changes the database
    after = [await asyncio.to_thread(handshakes, node) for node in scenario.environment.nodes]
    finding.expect("all terminals reconnected", back_s, at_most=30, unit="s")
    finding.expect("all boards verified", boards_s, at_most=CONVERGED_WITHIN_S, unit="s")
    finding.expect("handshakes' p99", max(map(p99, before, after)), at_most=2, unit="s")


async def no_action(node: NodeProcess) -> None: ...


async def deploy(
    scenario: Scenario[FaultCluster],
    finding: Finding,
    *,
    before_each: Callable[[NodeProcess], Awaitable[None]] = no_action,
) -> None:
    """Every node is stopped with SIGTERM and restarted, one after the other."""
    async with scenario.during_fault(finding) as window:
        slowest, busiest = 0.0, 0.0
        for node in scenario.environment.nodes:
            await before_each(node)
            linked, began_at = await scenario.linked_to(node), time.monotonic()
            await asyncio.to_thread(node.stop)
            await asyncio.to_thread(node.start)
            back_s = await scenario.seconds_until_back(linked, within_s=90, since=began_at)
            slowest = max(slowest, math.inf if back_s is None else back_s)
            busiest = max(busiest, busiest_second(linked))
        window.end()

    finding.expect("all reconnected after a node's SIGTERM", slowest, at_most=90, unit="s")
    finding.expect("share of a node's terminals that reconnected in the busiest second", busiest, at_most=50, unit="%")


async def seconds_until_none(
    scenario: Scenario[FaultCluster], node: str, *, since: float, within_s: float
) -> float | None:
    """Seconds until no terminal is online with a link to `node`."""
    while (took_s := time.monotonic() - since) < within_s:
        if (await scenario.aquery(STALE, node))[0][0] == 0:
            return took_s
        await asyncio.sleep(0.1)
    return None


def handshakes(node: NodeProcess) -> Handshakes:
    buckets = HANDSHAKES.findall(node.get("/metrics")[1])
    return Handshakes(node.pid, {float(bound): float(number) for bound, number in buckets})


def p99(before: Handshakes, after: Handshakes) -> float:
    """The upper bound in seconds of 99 % of the handshakes between two readings."""
    known = before.within if before.pid == after.pid else {}
    between = {bound: number - known.get(bound, 0.0) for bound, number in after.within.items()}
    return min(bound for bound, number in between.items() if number >= 0.99 * between[math.inf])


def busiest_second(terminals: list[ObservedTerminal]) -> float:
    seconds = Counter(int(terminal.linked_at) for terminal in terminals)
    return 100 * max(seconds.values(), default=0) / max(1, len(terminals))


FAULTS = (
    Fault(
        "kill-node",
        "terminals reconnect within 30 s, without false alerts",
        "kill -9 of one of three nodes",
        kill_a_node,
    ),
    Fault(
        "kill-all-nodes",
        "handshakes stay below 2 s while everything reconnects",
        "kill -9 of every node, and a restart into the reconnect storm",
        restart_all_nodes,
    ),
    Fault(
        "kill-proxy",
        "handshakes stay below 2 s while everything reconnects",
        "kill -9 of the proxy, which ends every link and board",
        kill_the_proxy,
    ),
    Fault(
        "deploy",
        "the drain spreads reconnects, without false alerts",
        "SIGTERM and restart of every node, one after the other",
        deploy,
    ),
)
