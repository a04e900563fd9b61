"""PostgreSQL stops, dies, hangs, or is read-only."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.health import health_observed
from tests.faults.scenario.processes import kill_tree, process_tree, resident_mib, send_signal
from tests.faults.scenario.scenario import Scenario, seconds_until_acknowledged

OUTAGE_S = 20.0
LONG_OUTAGE_S = 119.0
"""The two minutes, with the grace, for which TMS tolerates an absent database."""
GRACE_S = 1.0
"""Acknowledgements in transit when the database stopped have arrived by then."""
MOST_MIB = 60.0
"""All nodes together may grow by so much while nothing can be committed."""

READ_ONLY = """
ALTER DATABASE tms SET default_transaction_read_only = {};
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tms' AND pid <> pg_backend_pid();
"""


async def restart(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with without_postgresql(scenario, finding, is_reported=False):  # too short to be reported
        await asyncio.to_thread(scenario.environment.postgresql.stop)
        await asyncio.to_thread(scenario.environment.postgresql.start)


async def kill(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with without_postgresql(scenario, finding, is_reported=False):
        await asyncio.to_thread(kill_tree, scenario.environment.postgresql.pid)
        await asyncio.to_thread(scenario.environment.postgresql.wait_until_ended)
        await asyncio.to_thread(scenario.environment.postgresql.start)


async def stop_for_long(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with without_postgresql(scenario, finding):
        await asyncio.to_thread(scenario.environment.postgresql.stop)
        await expect_no_acknowledgements(scenario, finding, for_s=LONG_OUTAGE_S)
        await asyncio.to_thread(scenario.environment.postgresql.start)


async def hang(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """Connections stay open, but get no responses."""
    processes = process_tree(scenario.environment.postgresql.pid)
    async with without_postgresql(scenario, finding):
        send_signal(processes, signal.SIGSTOP)
        try:
            await expect_no_acknowledgements(scenario, finding)
        finally:
            send_signal(processes, signal.SIGCONT)


async def be_read_only(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """Make the database read-only, like a former primary after a failover."""
    async with without_postgresql(scenario, finding):
        await asyncio.to_thread(set_read_only, scenario, enabled=True)
        try:
            await expect_no_acknowledgements(scenario, finding)
        finally:
            await asyncio.to_thread(set_read_only, scenario, enabled=False)


def set_read_only(scenario: Scenario[FaultCluster], *, enabled: bool) -> None:
    with scenario.environment.postgresql.connect("postgres") as connection:
        for statement in READ_ONLY.format("on" if enabled else "off").strip().splitlines():
            connection.execute(statement)


@contextlib.asynccontextmanager
async def without_postgresql(
    scenario: Scenario[FaultCluster], finding: Finding, *, is_reported: bool = True
) -> AsyncIterator[None]:
    """Links must stay open, memory must be bounded, and soon after the outage all reports must be acknowledged."""
    observer, losses = scenario.observer, scenario.observer.losses
    before_mib = resident(scenario)
    async with (
        health_observed(scenario, finding, is_reported=is_reported) as outage,
        scenario.during_fault(finding) as window,
    ):
        outage.begin()
        yield
        window.end()
        outage.end()
        recovered_s = await seconds_until_acknowledged(observer.terminals)
        grown_mib = resident(scenario) - before_mib
    finding.expect("all waiting reports acknowledged", recovered_s, at_most=30, unit="s")
    finding.expect("links lost", observer.losses - losses, at_most=0)
    finding.expect("memory growth of the nodes", grown_mib, at_most=MOST_MIB, unit="MiB")


async def expect_no_acknowledgements(
    scenario: Scenario[FaultCluster], finding: Finding, *, for_s: float = OUTAGE_S
) -> None:
    """Expect that no report is acknowledged during the outage."""
    await asyncio.sleep(GRACE_S)
    acked = scenario.observer.acked
    await asyncio.sleep(for_s)
    finding.expect("acknowledged meanwhile", scenario.observer.acked - acked, at_most=0)
    finding.figures["reports waiting"] = scenario.observer.waiting


def resident(scenario: Scenario[FaultCluster]) -> float:
    return sum(resident_mib(node.pid) for node in scenario.environment.nodes)


FAULTS = (
    Fault(
        "postgresql-restart",
        "links stay open, and reports wait for the database",
        "PostgreSQL is restarted",
        restart,
        is_quick=True,
    ),
    Fault(
        "postgresql-kill",
        "links stay open, and reports wait for the database",
        "kill -9 of every process of PostgreSQL",
        kill,
    ),
    Fault(
        "postgresql-stop",
        "links stay open, and reports wait for the database",
        "PostgreSQL is stopped for two minutes",
        stop_for_long,
    ),
    Fault(
        "postgresql-hang",
        "links stay open, and reports wait for the database",
        "PostgreSQL hangs for 21 s (SIGSTOP)",
        hang,
    ),
    Fault(
        "postgresql-read-only",
        "nothing is acknowledged that is not stored",
        "PostgreSQL is read-only for 21 s",
        be_read_only,
    ),
)
