"""Holds a transaction in its middle, so that its process can be killed there."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection
from typing import Any

import psycopg

from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario

WITHIN_S = 60.0
WAITING = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND l.relation = %s::regclass AND a.application_name = ANY(%s)
"""
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"


class NotHeld(RuntimeError):
    """No transaction came to the table."""


@contextlib.asynccontextmanager
async def writers_held(scenario: Scenario[FaultCluster], table: str) -> AsyncIterator[None]:
    """Transactions wait as soon as they write to `table`, until the end. Others may read it."""
    url = scenario.environment.environment["TMS_DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(f"LOCK TABLE {table} IN SHARE MODE")  # type: ignore[arg-type]
        yield


async def held_process(
    scenario: Scenario[FaultCluster], table: str, among: Collection[str], *, request: asyncio.Task[Any]
) -> str:
    """The name of the process that waits to write to `table`. Raises NotHeld if `request` ends before."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if found := await scenario.aquery(WAITING, table, list(among)):
            return str(found[0][0])
        if request.done() and request.result() >= 400:
            break
        await asyncio.sleep(0.01)
    raise NotHeld(f"nothing wrote to {table}; the answer was {request.result() if request.done() else 'none'}")


async def wait_until_disconnected(scenario: Scenario[FaultCluster], name: str) -> None:
    """Wait until PostgreSQL has ended, and so rolled back, what a killed process had begun."""
    async with asyncio.timeout(WITHIN_S):
        while (await scenario.aquery(CONNECTED, name))[0][0]:
            await asyncio.sleep(0.02)
