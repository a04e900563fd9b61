"""One terminal sends the frames that are most expensive for TMS."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from functools import partial

from deploy.processes.node import NodeProcess
from tests.faults.clients.misbehaving import NOISE_S, acknowledgements, ms
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.health import poll
from tests.faults.scenario.scenario import Scenario
from tms.protocol import limits

BASELINE_S, HOSTILE_S = 30.0, 60.0
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


async def send_hostile(kind: str, scenario: Scenario[FaultCluster], finding: Finding) -> None:
    node, key = scenario.environment.nodes[0], scenario.spare[2]
    with acknowledgements(scenario) as baseline:
        await asyncio.sleep(BASELINE_S)
    losses, healths = scenario.observer.losses, list[float]()
    async with scenario.during_fault(finding) as window:
        with acknowledgements(scenario) as under_load:
            async with polled_health(node, healths):
                sent = await hostile_terminal(node, str(key), kind)
        window.end()
    finding.expect(
        "p99 of other terminals", ms(under_load, 99), at_most=1.1 * ms(baseline, 99) + 1000 * NOISE_S, unit="ms"
    )
    finding.expect("slowest /health/", 1000 * max(healths), at_most=MOST_HEALTH_MS, unit="ms")
    finding.expect("links of other terminals lost", scenario.observer.losses - losses, at_most=0)
    finding.expect("frames that could not be sent", HOSTILE_S * 10 * 0.8 - sent, at_most=0)
    finding.figures |= {
        "baseline p99 ms": ms(baseline, 99),
        "baseline median ms": ms(baseline, 50),
        "median ms": ms(under_load, 50),
    }
    finding.figures |= {"frames": sent, "health answers": len(healths)}


async def huge_metrics(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """The stored metrics and the pages of that terminal must stay within bounds."""
    await send_hostile("huge-metrics", scenario, finding)
    uid = scenario.spare[2].uid
    [(largest,)], [(names,)] = await scenario.aquery(LARGEST), await scenario.aquery(NAMES)
    sizes = [
        await asyncio.to_thread(size_of, scenario, f"/terminals/{uid}/{page}") for page in ("", "series/?span=30m")
    ]
    finding.expect("largest metric stored", float(largest), at_most=limits.METRIC_BOUND)
    finding.expect("metric names of a terminal in an hour", names, at_most=limits.METRIC_NAMES)
    finding.expect("its largest page", max(sizes) / 1000, at_most=MOST_BYTES / 1000, unit="KB")


async def hostile_terminal(node: NodeProcess, key: str, kind: str) -> int:
    """Frames that were sent."""
    command = [sys.executable, "-m", "tests.faults.clients.hostile_terminal", str(node.port), key, kind, str(HOSTILE_S)]
    terminal = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        output, _ = await terminal.communicate()
    finally:
        if terminal.returncode is None:
            terminal.kill()
    return int(output)


@contextlib.asynccontextmanager
async def polled_health(node: NodeProcess, took_s: list[float], path: str = "/health/") -> AsyncIterator[None]:
    """Poll the health of the node itself, ten times a second. An unhealthy answer counts as 60 s."""

    async def poll_repeatedly() -> None:
        while True:
            answer = await asyncio.to_thread(poll, node.url + path, timeout_s=60)
            took_s.append(answer.took_s if answer.status == 200 else 60.0)
            await asyncio.sleep(0.1)

    polling = asyncio.create_task(poll_repeatedly())
    try:
        yield
    finally:
        polling.cancel()


def size_of(scenario: Scenario[FaultCluster], path: str) -> int:
    status, body = scenario.environment.nodes[-1].get(path, Cookie=scenario.cookie)
    assert status == 200, (path, status)
    return len(body.encode())


FAULTS = (
    Fault(
        "quadratic-frame",
        "a frame of 64 KiB costs at most 20 ms",
        "the most expensive frames of 64 KiB, ten a second for 60 s",
        partial(send_hostile, "worst-frames"),
    ),
    Fault(
        "huge-metrics",
        "metrics are finite, and their names are limited",
        "metrics of 1.7e308 and new names in each report, for 60 s",
        huge_metrics,
    ),
)
