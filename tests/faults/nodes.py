"""Nodes that die, and nodes that are replaced."""

import asyncio
import math
import time
from collections import Counter

from tests.faults.fault import Fault, Finding
from tests.faults.place import Several
from tests.faults.scene import Scene
from tests.faults.witness import Witnessed

STALE = "SELECT count(*) FROM fleet_terminalstate WHERE node = %s AND presence = 'online'"


async def kill_a_node(scene: Scene[Several], finding: Finding) -> None:
    victim = scene.place.nodes[0]
    held = await scene.held_by(victim)

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


async def deploy(scene: Scene[Several], finding: Finding) -> None:
    """Every node is ended with SIGTERM and started again, one after the other."""
    async with scene.disturbed(finding) as disturbance:
        slowest, busiest = 0.0, 0.0
        for node in scene.place.nodes:
            held, began_at = await scene.held_by(node), time.monotonic()
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


def busiest_second(terminals: list[Witnessed]) -> float:
    seconds = Counter(int(terminal.linked_at) for terminal in terminals)
    return 100 * max(seconds.values(), default=0) / max(1, len(terminals))


FAULTS = (
    Fault("kill-node", "R29", "kill -9 of one of three nodes", kill_a_node),
    Fault("deploy", "R28", "SIGTERM and a new start of every node, one after the other", deploy),
)
