"""One terminal sends frames that are the worst for TMS: R37, R38."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from functools import partial

from deploy.processes.node import NodeProcess
from tests.faults.clients import NOISE_S, acknowledgements, ms
from tests.faults.fault import Fault, Finding
from tests.faults.health import ask
from tests.faults.place import Several
from tests.faults.scene import Scene
from tms.protocol import limits

CALM_S, HOSTILE_S = 30.0, 60.0
MOST_HEALTH_MS = 200
MOST_BYTES = 1_000_000
LARGEST = """
SELECT coalesce(max(abs(m.value::double precision)), 0) FROM telemetry_report r, jsonb_each_text(r.metrics) m
"""
NAMES = """
SELECT coalesce(max(names), 0) FROM (
    SELECT count(DISTINCT m.key) AS names FROM telemetry_report r, jsonb_each_text(r.metrics) m
    GROUP BY r.terminal_id, date_trunc('hour', r.at)
) AS counted
"""


async def send_hostile(kind: str, scene: Scene[Several], finding: Finding) -> None:
    node, key = scene.place.nodes[0], scene.spare[2]
    with acknowledgements(scene) as calm:
        await asyncio.sleep(CALM_S)
    losses, healths = scene.observer.losses, list[float]()
    async with scene.disturbed(finding) as disturbance:
        with acknowledgements(scene) as stormy:
            async with health_asked(node, healths):
                sent = await hostile_terminal(node, str(key), kind)
        disturbance.is_over()
    finding.promise("others' p99", ms(stormy, 99), at_most=1.1 * ms(calm, 99) + 1000 * NOISE_S, unit="ms")
    finding.promise("slowest /health/", 1000 * max(healths), at_most=MOST_HEALTH_MS, unit="ms")
    finding.promise("others' links lost", scene.observer.losses - losses, at_most=0)
    finding.promise("frames that could not be sent", HOSTILE_S * 10 * 0.8 - sent, at_most=0)
    finding.figures |= {"calm p99 ms": ms(calm, 99), "calm median ms": ms(calm, 50), "median ms": ms(stormy, 50)}
    finding.figures |= {"frames": sent, "health answers": len(healths)}


async def huge_metrics(scene: Scene[Several], finding: Finding) -> None:
    """What is stored of them stays within bounds, and so do the pages of whoever sent them."""
    await send_hostile("huge-metrics", scene, finding)
    uid = scene.spare[2].uid
    [(largest,)], [(names,)] = await scene.ask(LARGEST), await scene.ask(NAMES)
    sizes = [await asyncio.to_thread(size_of, scene, f"/terminals/{uid}/{page}") for page in ("", "series/?span=30m")]
    finding.promise("largest metric stored", float(largest), at_most=limits.METRIC_BOUND)
    finding.promise("names of a terminal in an hour", names, at_most=limits.METRIC_NAMES)
    finding.promise("its largest page", max(sizes) / 1000, at_most=MOST_BYTES / 1000, unit="KB")


async def hostile_terminal(node: NodeProcess, key: str, kind: str) -> int:
    """Frames that were sent."""
    command = [sys.executable, "-m", "tests.faults.hostile_terminal", str(node.port), key, kind, str(HOSTILE_S)]
    terminal = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        output, _ = await terminal.communicate()
    finally:
        if terminal.returncode is None:
            terminal.kill()
    return int(output)


@contextlib.asynccontextmanager
async def health_asked(node: NodeProcess, took_s: list[float]) -> AsyncIterator[None]:
    """Of the node itself, ten times a second."""

    async def ask_for_ever() -> None:
        while True:
            answer = await asyncio.to_thread(ask, f"http://127.0.0.1:{node.port}/health/", timeout_s=60)
            took_s.append(answer.took_s if answer.status == 200 else 60.0)
            await asyncio.sleep(0.1)

    asking = asyncio.create_task(ask_for_ever())
    try:
        yield
    finally:
        asking.cancel()


def size_of(scene: Scene[Several], path: str) -> int:
    status, body = scene.place.nodes[-1].get(path, Cookie=scene.cookie)
    assert status == 200, (path, status)
    return len(body.encode())


FAULTS = (
    Fault(
        "quadratic-frame",
        "R37",
        "the worst frames of 64 KiB, ten a second for 60 s",
        partial(send_hostile, "worst-frames"),
    ),
    Fault("huge-metrics", "R38", "metrics of 1.7e308 and new names in each report, for 60 s", huge_metrics),
)
