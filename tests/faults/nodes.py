"""Nodes that die, and nodes that are replaced."""

import asyncio
import contextlib
import math
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import NamedTuple

from deploy.processes.node import NodeProcess
from tests.faults.fault import Fault, Finding
from tests.faults.observer import ObservedTerminal
from tests.faults.place import Several
from tests.faults.processes import kill_family
from tests.faults.scene import Scene

STALE = "SELECT count(*) FROM fleet_terminalstate WHERE node = %s AND presence = 'online'"
HANDSHAKES = re.compile(r'^tms_handshake_seconds_bucket{le="(\S+)"} (\S+)', re.MULTILINE)


class Handshakes(NamedTuple):
    """Of one process: how many it decided within so many seconds."""

    pid: int
    within: Mapping[float, float]


async def kill_a_node(scene: Scene[Several], finding: Finding) -> None:
    by_node = {node: await scene.linked_to(node) for node in scene.place.nodes}
    victim, held = max(by_node.items(), key=lambda each: len(each[1]))

    async with scene.disturbed(finding) as disturbance:
        await asyncio.to_thread(victim.kill)
        killed_at = time.monotonic()
        disturbance.is_over()
        back_s = await scene.all_back(held, within_s=60, since=killed_at)
        stale_s = await seconds_until_none(scene, victim.name, since=killed_at, within_s=60)

    finding.promise("all its terminals back", back_s, at_most=30, unit="s")
    finding.promise("stale presence cleared", stale_s, at_most=60, unit="s")
    finding.figures["terminals it held"] = len(held)
    await asyncio.to_thread(victim.start)


async def restart_into_the_storm(scene: Scene[Several], finding: Finding) -> None:
    """Every node dies; each is up again among terminals that have nowhere else to go."""
    async with all_at_once(scene, finding):
        for node in scene.place.nodes:
            await asyncio.to_thread(node.kill)
        for node in scene.place.nodes:
            node.launch()
        for node in scene.place.nodes:
            await asyncio.to_thread(node.wait_until_ready)


async def kill_the_proxy(scene: Scene[Several], finding: Finding) -> None:
    nginx = scene.place.nginx
    async with all_at_once(scene, finding):
        await asyncio.to_thread(kill_family, nginx.pid)
        await asyncio.to_thread(nginx.wait_until_ended)
        await asyncio.to_thread(nginx.start)


@contextlib.asynccontextmanager
async def all_at_once(scene: Scene[Several], finding: Finding) -> AsyncIterator[None]:
    """Every link and every board is lost, and all of them come back."""
    before = [await asyncio.to_thread(handshakes, node) for node in scene.place.nodes]
    async with scene.disturbed(finding) as disturbance:
        began_at = time.monotonic()
        yield
        disturbance.is_over()
        back_s = await scene.all_back(scene.observer.terminals, within_s=60, since=began_at)
    after = [await asyncio.to_thread(handshakes, node) for node in scene.place.nodes]
    finding.promise("all terminals back", back_s, at_most=30, unit="s")
    finding.promise("handshakes' p99", max(map(p99, before, after)), at_most=2, unit="s")


async def nothing(node: NodeProcess) -> None: ...


async def deploy(
    scene: Scene[Several], finding: Finding, *, before_each: Callable[[NodeProcess], Awaitable[None]] = nothing
) -> None:
    """Every node is ended with SIGTERM and started again, one after the other."""
    async with scene.disturbed(finding) as disturbance:
        slowest, busiest = 0.0, 0.0
        for node in scene.place.nodes:
            await before_each(node)
            held, began_at = await scene.linked_to(node), time.monotonic()
            await asyncio.to_thread(node.stop)
            await asyncio.to_thread(node.start)
            back_s = await scene.all_back(held, within_s=90, since=began_at)
            slowest = max(slowest, math.inf if back_s is None else back_s)
            busiest = max(busiest, busiest_second(held))
        disturbance.is_over()

    finding.promise("all back after a node's SIGTERM", slowest, at_most=90, unit="s")
    finding.promise("share of a node's terminals that came back in its busiest second", busiest, at_most=50, unit="%")


async def seconds_until_none(scene: Scene[Several], node: str, *, since: float, within_s: float) -> float | None:
    """Until no terminal is called online over a link that `node` held."""
    while (took_s := time.monotonic() - since) < within_s:
        if (await scene.ask(STALE, node))[0][0] == 0:
            return took_s
        await asyncio.sleep(0.1)
    return None


def handshakes(node: NodeProcess) -> Handshakes:
    buckets = HANDSHAKES.findall(node.get("/metrics")[1])
    return Handshakes(node.pid, {float(bound): float(number) for bound, number in buckets})


def p99(before: Handshakes, after: Handshakes) -> float:
    """Seconds: the bound that 99 of 100 handshakes between two looks did not pass."""
    known = before.within if before.pid == after.pid else {}
    between = {bound: number - known.get(bound, 0.0) for bound, number in after.within.items()}
    return min(bound for bound, number in between.items() if number >= 0.99 * between[math.inf])


def busiest_second(terminals: list[ObservedTerminal]) -> float:
    seconds = Counter(int(terminal.linked_at) for terminal in terminals)
    return 100 * max(seconds.values(), default=0) / max(1, len(terminals))


FAULTS = (
    Fault("kill-node", "R29", "kill -9 of one of three nodes", kill_a_node),
    Fault("kill-all-nodes", "R6, R29", "kill -9 of every node, and a new start into the storm", restart_into_the_storm),
    Fault("kill-proxy", "R6", "kill -9 of the proxy, and with it of every link and board", kill_the_proxy),
    Fault("deploy", "R28", "SIGTERM and a new start of every node, one after the other", deploy),
)
