"""Redis stops, is killed, hangs, or loses its data."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import redis

from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import FaultWindow, Scenario

OUTAGE_S = 10.0
"""Longer than a board needs to report that it is behind, and than the feed needs to notice a dead subscription."""


async def stop_redis(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with without_redis(scenario, finding):
        await asyncio.to_thread(scenario.environment.redis.stop)
        await asyncio.sleep(OUTAGE_S)
        await asyncio.to_thread(scenario.environment.redis.start)


async def kill_redis(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with without_redis(scenario, finding):
        await asyncio.to_thread(scenario.environment.redis.kill)
        await asyncio.sleep(OUTAGE_S)
        await asyncio.to_thread(scenario.environment.redis.start)


async def stall_redis(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """Redis accepts connections and never answers."""
    async with without_redis(scenario, finding):
        scenario.environment.redis.pause()
        await asyncio.sleep(OUTAGE_S)
        scenario.environment.redis.resume()


async def pause_clients(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with without_redis(scenario, finding):
        with redis.Redis.from_url(scenario.environment.redis.url) as client:
            client.client_pause(int(OUTAGE_S * 1000), all=True)
        await asyncio.sleep(OUTAGE_S)


async def flush_redis(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with scenario.during_fault(finding) as window:
        with redis.Redis.from_url(scenario.environment.redis.url) as client:
            client.flushall()
            client.client_kill_filter(_type="pubsub")
        window.end()
        losses = scenario.observer.losses
        await scenario.observer.wait_for_acknowledgements(len(scenario.observer.terminals))
    finding.expect("links lost", scenario.observer.losses - losses, at_most=0)


@contextlib.asynccontextmanager
async def without_redis(scenario: Scenario[FaultCluster], finding: Finding) -> AsyncIterator[FaultWindow]:
    """Terminals must stay connected and get acknowledgements; boards must show that they are behind."""
    losses = scenario.observer.losses
    async with scenario.during_fault(finding) as window:
        acked = scenario.observer.acked
        yield window
        window.end()
        acked = scenario.observer.acked - acked
    due = OUTAGE_S * len(scenario.observer.terminals)
    finding.expect("links lost", scenario.observer.losses - losses, at_most=0)
    finding.expect("reports not acknowledged meanwhile", 100 * max(0.0, 1 - acked / due), at_most=25, unit="%")
    unaware = sum(board.most_behind_s < OUTAGE_S / 2 for board in scenario.boards)
    finding.expect("boards that did not show that they were behind", unaware, at_most=0)


FAULTS = (
    Fault("redis-stop", "links and ingest continue without Redis", "Redis stops for 10 s", stop_redis),
    Fault("redis-kill", "links and ingest continue without Redis", "kill -9 of Redis, back after 10 s", kill_redis),
    Fault("redis-hang", "links and ingest continue without Redis", "Redis hangs for 10 s (SIGSTOP)", stall_redis),
    Fault(
        "redis-pause",
        "links and ingest continue without Redis",
        "Redis does not answer for 10 s (CLIENT PAUSE)",
        pause_clients,
    ),
    Fault(
        "redis-flush",
        "links and ingest continue without Redis",
        "FLUSHALL, and every subscription is closed",
        flush_redis,
        is_quick=True,
    ),
)
