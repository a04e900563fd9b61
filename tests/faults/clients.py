"""Clients that do not behave: a board that stops reading (R10), a terminal that floods (R9, R10)."""

import asyncio
import contextlib
import re
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Sequence

from deploy.processes.node import NodeProcess
from tests.faults.fault import Fault, Finding
from tests.faults.light import LightTerminal
from tests.faults.place import Several
from tests.faults.processes import resident_mib
from tests.faults.scene import Scene
from tests.support.link.raw_client import Client

READERS = 8
FILLED_WITHIN_S = 5.0
"""The kernel's buffers between a node and a reader are full by then, at the rate of these boards."""
CALM_S, FLOOD_MIB = 5.0, 180
NOISE_S = 0.05
"""How much a p99 of some hundred acknowledgements varies on a busy machine."""

DROPPED = re.compile(r'^tms_server_events_total{event="(?:slow_\w+|ping_timeout)"} (\S+)', re.MULTILINE)


async def stop_reading(scene: Scene[Several], finding: Finding) -> None:
    node = scene.place.nodes[0]
    before, before_mib = await asyncio.to_thread(dropped, node), resident_mib(node.pid)
    readers = [await asyncio.to_thread(open_board, scene, node) for _ in range(READERS)]
    async with scene.disturbed(finding) as disturbance:
        began_at, most_mib, took_s = time.monotonic(), before_mib, None
        while took_s is None and time.monotonic() - began_at < 40:
            await asyncio.sleep(0.2)
            most_mib = max(most_mib, resident_mib(node.pid))
            if await asyncio.to_thread(dropped, node) - before >= READERS:
                took_s = time.monotonic() - began_at
        disturbance.is_over()
    for reader in readers:
        reader.vanish()
    behind_s = max(board.most_behind_s for board in scene.boards)
    finding.promise("dropped and counted", took_s, at_most=10 + FILLED_WITHIN_S, unit="s")
    finding.promise("the node grew for each", (most_mib - before_mib) / READERS, at_most=5, unit="MiB")
    finding.promise("other boards behind", behind_s, at_most=1, unit="s")


async def flood(scene: Scene[Several], finding: Finding) -> None:
    node = scene.place.nodes[0]
    with acknowledgements(scene) as calm:
        await asyncio.sleep(CALM_S)
    losses = scene.observer.losses
    async with scene.disturbed(finding) as disturbance:
        with acknowledgements(scene) as stormy:
            sent, grown_mib = await flooded(node, str(scene.spare[0]))
        disturbance.is_over()
    finding.promise("others' p99", ms(stormy, 99), at_most=1.1 * ms(calm, 99) + 1000 * NOISE_S, unit="ms")
    finding.promise("the node grew by", grown_mib, at_most=20, unit="MiB")
    finding.promise("others' links lost", scene.observer.losses - losses, at_most=0)
    finding.figures |= {"calm p99 ms": ms(calm, 99), "calm median ms": ms(calm, 50), "median ms": ms(stormy, 50)}
    finding.figures["MiB sent"] = sent / 2**20


async def flooded(node: NodeProcess, key: str) -> tuple[int, float]:
    """Bytes that were sent, and by how many MiB the node had grown at the worst."""
    command = [sys.executable, "-m", "tests.faults.flooder", str(node.port), key, str(FLOOD_MIB)]
    before_mib = most_mib = resident_mib(node.pid)
    flooder = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    saying = asyncio.create_task(flooder.communicate())
    while not saying.done():
        most_mib = max(most_mib, resident_mib(node.pid))
        await asyncio.wait([saying], timeout=0.1)
    return int((await saying)[0]), most_mib - before_mib


def open_board(scene: Scene[Several], node: NodeProcess) -> Client:
    """A board that received its first frame and then stops reading."""
    client = Client(node.port, receive_buffer=4096)
    client.dial()
    client.shake_hands("/ws/board/?page=/terminals/", [f"Cookie: {scene.cookie}", "Origin: http://server"])
    assert client.status == 101, client.status
    client.receive()
    return client


def dropped(node: NodeProcess) -> float:
    """Readers that the node dropped, by its own count: too slow, or no answer to a ping."""
    return sum(float(number) for number in DROPPED.findall(node.get("/metrics")[1]))


@contextlib.contextmanager
def acknowledgements(scene: Scene[Several]) -> Iterator[list[float]]:
    """Latencies of the acknowledgements within the block."""
    waits: list[float] = []
    terminals = [each for each in scene.observer.terminals if isinstance(each, LightTerminal)]
    for terminal in terminals:
        terminal.waits = waits
    yield waits
    for terminal in terminals:
        terminal.waits = None


def ms(waits: Sequence[float], percent: int) -> float:
    return 1000 * statistics.quantiles(waits, n=100)[percent - 1]


FAULTS = (
    Fault("board-stops-reading", "R10", "eight boards stop reading", stop_reading),
    Fault("terminal-floods", "R9, R10", "a terminal sends as fast as it can", flood),
)
