"""Terminals backfill as fast as TMS allows, with as much as a report may contain."""

import asyncio
import sys
from asyncio.subprocess import PIPE

from deploy.processes.node import NodeProcess
from tests.faults.clients.hostile_frames import polled_health
from tests.faults.clients.misbehaving import NOISE_S, acknowledgements, ms
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.processes import resident_mib
from tests.faults.scenario.scenario import Scenario

BASELINE_S, FLOOD_S = 20.0, 30.0
KINDS = ("events", "metrics", "boots")
ROWS = {name: f"SELECT count(*) FROM telemetry_{name}" for name in ("report", "event", "boot")}
NEWEST_CHANGE = "SELECT coalesce(max(id), 0) FROM fleet_presencechange"
SILENT = """
SELECT DISTINCT t.uid FROM fleet_presencechange c JOIN fleet_terminal t ON t.id = c.terminal_id
WHERE c.id > %s AND c.presence IN ('silent', 'offline')
"""


async def flood(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """Others must hardly notice, although a node without limits would be busy for minutes."""
    node = scenario.environment.nodes[0]
    with acknowledgements(scenario) as baseline:
        await asyncio.sleep(BASELINE_S)
    losses, healths = scenario.observer.losses, list[float]()
    before, change = await rows(scenario), (await scenario.aquery(NEWEST_CHANGE))[0][0]
    async with scenario.during_fault(finding) as window:
        before_mib = resident_mib(node.pid)
        with acknowledgements(scenario) as under_load:
            async with polled_health(node, healths, path="/health/?strict"):
                most_mib = await flooded(node, [str(key) for key in scenario.spare])
        window.end()
    after, own = await rows(scenario), {key.uid for key in scenario.spare}
    silent = {uid for (uid,) in await scenario.aquery(SILENT, change)} - own
    finding.expect(
        "p99 of other terminals", ms(under_load, 99), at_most=2 * ms(baseline, 99) + 1000 * NOISE_S, unit="ms"
    )
    finding.expect("node not healthy", sum(took_s >= 60 for took_s in healths), at_most=0)
    finding.expect("other terminals silent", len(silent), at_most=0)
    finding.expect("memory growth of the node", most_mib - before_mib, at_most=40, unit="MiB")
    finding.expect("links of other terminals lost", scenario.observer.losses - losses, at_most=0)
    finding.figures |= {
        "baseline p99 ms": ms(baseline, 99),
        "baseline median ms": ms(baseline, 50),
        "median ms": ms(under_load, 50),
        "memory afterwards MiB": resident_mib(node.pid) - before_mib,
    }
    finding.figures |= {f"{name}s": after[name] - before[name] for name in ROWS}


async def rows(scenario: Scenario[FaultCluster]) -> dict[str, int]:
    return {name: (await scenario.aquery(sql))[0][0] for name, sql in ROWS.items()}


async def flooded(node: NodeProcess, keys: list[str]) -> float:
    """The most memory of the node in MiB. Terminals send different kinds of backfill."""
    command = [sys.executable, "-m", "tests.faults.clients.backfiller", str(node.port)]
    terminals = [
        await asyncio.create_subprocess_exec(*command, kind, str(FLOOD_S), *keys[number :: len(KINDS)], stdout=PIPE)
        for number, kind in enumerate(KINDS)
    ]
    outputs = [asyncio.create_task(terminal.communicate()) for terminal in terminals]
    most_mib = resident_mib(node.pid)
    try:
        while not all(output.done() for output in outputs):
            most_mib = max(most_mib, resident_mib(node.pid))
            await asyncio.wait(outputs, timeout=0.1)
    finally:
        for terminal in terminals:
            if terminal.returncode is None:
                terminal.kill()
    for output in outputs:
        assert int((await output)[0]) > 0, "a terminal got no acknowledgement"
    return most_mib


FAULTS = (
    Fault(
        "backfill-flood",
        "backfill delays no other terminal, and loses nothing",
        "eight terminals backfill without end, with all that fits in a report",
        flood,
    ),
)
