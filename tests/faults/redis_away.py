"""Redis stops, is killed, hangs, or loses its data: R26."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import redis

from tests.faults.fault import Fault, Finding
from tests.faults.place import Several
from tests.faults.scene import Disturbance, Scene

AWAY_S = 10.0
"""Longer than a board needs to report that it is behind, and than the feed needs to notice a dead subscription."""


async def stop_redis(scene: Scene[Several], finding: Finding) -> None:
    async with without_redis(scene, finding):
        await asyncio.to_thread(scene.place.redis.stop)
        await asyncio.sleep(AWAY_S)
        await asyncio.to_thread(scene.place.redis.start)


async def kill_redis(scene: Scene[Several], finding: Finding) -> None:
    async with without_redis(scene, finding):
        await asyncio.to_thread(scene.place.redis.kill)
        await asyncio.sleep(AWAY_S)
        await asyncio.to_thread(scene.place.redis.start)


async def stall_redis(scene: Scene[Several], finding: Finding) -> None:
    """It takes connections and never answers."""
    async with without_redis(scene, finding):
        scene.place.redis.pause()
        await asyncio.sleep(AWAY_S)
        scene.place.redis.resume()


async def pause_clients(scene: Scene[Several], finding: Finding) -> None:
    async with without_redis(scene, finding):
        with redis.Redis.from_url(scene.place.redis.url) as client:
            client.client_pause(int(AWAY_S * 1000), all=True)
        await asyncio.sleep(AWAY_S)


async def flush_redis(scene: Scene[Several], finding: Finding) -> None:
    async with scene.disturbed(finding) as disturbance:
        with redis.Redis.from_url(scene.place.redis.url) as client:
            client.flushall()
            client.client_kill_filter(_type="pubsub")
        disturbance.is_over()
        losses = scene.observer.losses
        await scene.observer.acknowledged(len(scene.observer.terminals))
    finding.promise("links lost", scene.observer.losses - losses, at_most=0)


@contextlib.asynccontextmanager
async def without_redis(scene: Scene[Several], finding: Finding) -> AsyncIterator[Disturbance]:
    """Terminals stay and are acknowledged meanwhile; boards report that they are behind."""
    losses = scene.observer.losses
    async with scene.disturbed(finding) as disturbance:
        acked = scene.observer.acked
        yield disturbance
        disturbance.is_over()
        acked = scene.observer.acked - acked
    due = AWAY_S * len(scene.observer.terminals)
    finding.promise("links lost", scene.observer.losses - losses, at_most=0)
    finding.promise("of the reports meanwhile not acknowledged", 100 * max(0.0, 1 - acked / due), at_most=25, unit="%")
    unaware = sum(board.most_behind_s < AWAY_S / 2 for board in scene.boards)
    finding.promise("boards that did not say that they were behind", unaware, at_most=0)


FAULTS = (
    Fault("redis-stop", "R26", "Redis stops for 10 s", stop_redis),
    Fault("redis-kill", "R26", "kill -9 of Redis, back after 10 s", kill_redis),
    Fault("redis-hang", "R26", "Redis hangs for 10 s (SIGSTOP)", stall_redis),
    Fault("redis-pause", "R26", "Redis answers nobody for 10 s (CLIENT PAUSE)", pause_clients),
    Fault("redis-flush", "R26", "FLUSHALL, and every subscription is cut", flush_redis, is_quick=True),
)
