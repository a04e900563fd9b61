"""Misbehaving clients: a board that stops reading, and a terminal that sends too much."""

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
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.light import LightTerminal
from tests.faults.scenario.processes import resident_mib
from tests.faults.scenario.scenario import Scenario
from tests.support.link.raw_client import Client

READERS = 8
FILLED_WITHIN_S = 5.0
"""The kernel's buffers between a node and a reader are full by then, at the rate of these boards."""
BASELINE_S, FLOOD_MIB = 5.0, 180
NOISE_S = 0.05
"""How much a p99 of some hundred acknowledgements varies on a busy machine."""

DROPPED = re.compile(r'^tms_server_events_total{event="(?:slow_\w+|ping_timeout)"} (\S+)', re.MULTILINE)


async def stop_reading(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    node = scenario.environment.nodes[0]
    before, before_mib = await asyncio.to_thread(dropped, node), resident_mib(node.pid)
    readers = [await asyncio.to_thread(open_board, scenario, node) for _ in range(READERS)]
    async with scenario.during_fault(finding) as window:
        began_at, most_mib, took_s = time.monotonic(), before_mib, None
        while took_s is None and time.monotonic() - began_at < 40:
            await asyncio.sleep(0.2)
            most_mib = max(most_mib, resident_mib(node.pid))
            if await asyncio.to_thread(dropped, node) - before >= READERS:
                took_s = time.monotonic() - began_at
        window.end()
    for reader in readers:
        reader.vanish()
    behind_s = max(board.most_behind_s for board in scenario.boards)
    finding.expect("dropped and counted", took_s, at_most=10 + FILLED_WITHIN_S, unit="s")
    finding.expect("memory growth per board", (most_mib - before_mib) / READERS, at_most=5, unit="MiB")
    finding.expect("other boards behind", behind_s, at_most=1, unit="s")


async def flood(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    node = scenario.environment.nodes[0]
    with acknowledgements(scenario) as baseline:
        await asyncio.sleep(BASELINE_S)
    losses = scenario.observer.losses
    async with scenario.during_fault(finding) as window:
        with acknowledgements(scenario) as under_load:
            sent, grown_mib = await flooded(node, str(scenario.spare[0]))
        window.end()
    finding.expect(
        "p99 of other terminals", ms(under_load, 99), at_most=1.1 * ms(baseline, 99) + 1000 * NOISE_S, unit="ms"
    )
    finding.expect("memory growth of the node", grown_mib, at_most=20, unit="MiB")
    finding.expect("links of other terminals lost", scenario.observer.losses - losses, at_most=0)
    finding.figures |= {
        "baseline p99 ms": ms(baseline, 99),
        "baseline median ms": ms(baseline, 50),
        "median ms": ms(under_load, 50),
    }
    finding.figures["MiB sent"] = sent / 2**20


async def flooded(node: NodeProcess, key: str) -> tuple[int, float]:
    """The number of bytes sent, and the maximum memory growth of the node in MiB."""
    command = [sys.executable, "-m", "tests.faults.clients.flooder", str(node.port), key, str(FLOOD_MIB)]
    before_mib = most_mib = resident_mib(node.pid)
    flooder = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    flooder_output = asyncio.create_task(flooder.communicate())
    while not flooder_output.done():
        most_mib = max(most_mib, resident_mib(node.pid))
        await asyncio.wait([flooder_output], timeout=0.1)
    return int((await flooder_output)[0]), most_mib - before_mib


def open_board(scenario: Scenario[FaultCluster], node: NodeProcess) -> Client:
    """A board that received its first frame and then stops reading."""
    client = Client(node.port, receive_buffer=4096)
    client.dial()
    client.shake_hands("/ws/board/?page=/terminals/", [f"Cookie: {scenario.cookie}", "Origin: http://server"])
    assert client.status == 101, client.status
    client.receive()
    return client


def dropped(node: NodeProcess) -> float:
    """Readers that the node dropped, by its own count: too slow, or no answer to a ping."""
    return sum(float(number) for number in DROPPED.findall(node.get("/metrics")[1]))


@contextlib.contextmanager
def acknowledgements(scenario: Scenario[FaultCluster]) -> Iterator[list[float]]:
    """Latencies of the acknowledgements within the block."""
    waits: list[float] = []
    terminals = [each for each in scenario.observer.terminals if isinstance(each, LightTerminal)]
    for terminal in terminals:
        terminal.waits = waits
    yield waits
    for terminal in terminals:
        terminal.waits = None


def ms(waits: Sequence[float], percent: int) -> float:
    return 1000 * statistics.quantiles(waits, n=100)[percent - 1]


FAULTS = (
    Fault(
        "board-stops-reading",
        "one slow board is dropped, and delays no other",
        "eight boards stop reading",
        stop_reading,
    ),
    Fault(
        "terminal-floods",
        "one terminal delays no other, and memory is bounded",
        "a terminal sends as fast as it can",
        flood,
    ),
)
