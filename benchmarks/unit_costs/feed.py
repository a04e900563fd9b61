"""A message of the feed: what it costs Redis, and each process that receives it."""

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack

import redis
from channels.layers import get_channel_layer

from benchmarks.measuring.meter import thread_seconds
from benchmarks.unit_costs.plan import UnitPlan
from deploy.processes import Redis
from tms.feed.change import Change, FeedMessage, pack
from tms.feed.hub import hub
from tms.feed.publisher import feed
from tms.runtime.listeners import ProcessRole, register

CHANNEL = "unit-costs"
NAME = "0123456789ab"
FIRST_ID = 1_000_000
"""Ids of a large fleet take five bytes, others fewer."""
PATIENCE_S = 60
PUBLISHER = "benchmarks.unit_costs.publisher"


def message(plan: UnitPlan, number: int) -> FeedMessage:
    ids = range(FIRST_ID, FIRST_ID + plan.ids)
    return FeedMessage(NAME, number, time.time(), Change(terminals=frozenset(ids)))


def sizes(plan: UnitPlan) -> dict[str, float]:
    empty, named = _size(FeedMessage(NAME, 100_000, time.time())), _size(message(plan, 100_000))
    return {"bytes of a message": empty, "bytes of an id": (named - empty) / plan.ids}


def _size(message: FeedMessage) -> int:
    """The size of a message as the channel layer sends it."""
    return len(get_channel_layer().serialize({"type": "feed", "message": pack(message)}))


def receive(plan: UnitPlan) -> dict[str, float]:
    """CPU of a serving process without boards per message that names readings, at a steady rate."""
    with subprocess.Popen([sys.executable, "-m", PUBLISHER, str(plan.messages)]) as publisher:
        received, cpu_s = asyncio.run(_receive())
    assert publisher.returncode == 0
    return sizes(plan) | {"received": received, "Python µs": cpu_s / received * 1e6}


async def _receive() -> tuple[int, float]:
    """How many messages of the publisher were received, and the CPU of this process meanwhile."""
    counted = Counted()
    register(ProcessRole.SERVE)
    hub().listeners.add(counted)
    hub().start()
    async with asyncio.timeout(PATIENCE_S):
        await counted.began.wait()
    before, cpu_s = counted.number, time.process_time()
    await counted.ended()
    received, cpu_s = counted.number - before, counted.received_cpu_s - cpu_s
    await hub().stop()
    await feed().detach()
    return received, cpu_s


class Counted:
    """A listener that counts what the publisher sent."""

    def __init__(self) -> None:
        self.number = 0
        self.received_cpu_s = 0.0
        self.began = asyncio.Event()

    def changed(self, change: Change) -> None:
        if FIRST_ID in change.terminals:
            self.number, self.received_cpu_s = self.number + 1, time.process_time()
            self.began.set()

    async def ended(self) -> None:
        seen = -1
        while seen != self.number:
            seen = self.number
            await asyncio.sleep(1)


def publish(broker: Redis, plan: UnitPlan) -> dict[str, float]:
    """CPU of Redis per message, and for each process that it is delivered to."""
    few, many = (_published(broker, plan, subscribers=number) for number in (1, plan.subscribers))
    delivery = (many - few) / (plan.subscribers - 1)
    return {"µs per message": few - delivery, "µs per delivery": delivery}


def _published(broker: Redis, plan: UnitPlan, *, subscribers: int) -> float:
    data = pack(message(plan, 1))
    with ExitStack() as closing:
        client = closing.enter_context(redis.Redis.from_url(broker.url))
        for _ in range(subscribers):
            listener = closing.enter_context(redis.Redis.from_url(broker.url).pubsub())  # type: ignore[no-untyped-call]
            listener.subscribe(CHANNEL)
            listener.get_message(timeout=1)
        before = sum(thread_seconds(broker.pid).values())
        for _ in range(plan.messages):
            assert client.publish(CHANNEL, data) == subscribers
        return (sum(thread_seconds(broker.pid).values()) - before) / plan.messages * 1e6
