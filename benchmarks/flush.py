"""`python -m benchmarks.flush`: the CPU time of one flush of ingest by its number of reports.

Commits as the event loop of a server does, in this process and to a durable PostgreSQL, without sockets and boards: the
fixed part of a flush decides how soon a report can be acknowledged at low load.
"""

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import django

from benchmarks.measuring.meter import pin, thread_seconds
from benchmarks.output.report import table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL
from benchmarks.systems.tms import Tms

SIZES = (1, 5, 20, 100)
WARM_UP, FLUSHES, ROUNDS = 50, 100, 5


@dataclass
class BareLink:
    """A booted link without a session."""

    identity: Any
    number: int = 0
    boot_id: str = "bench"
    boot_pk: int = 0
    seq: int = 0


@dataclass(frozen=True)
class FlushCost:
    """Medians of the rounds."""

    size: int
    us: Mapping[str, float]
    """Microseconds by what takes them."""


def main() -> None:
    cores = machine.assign_cores()
    with Environment.set_up(FULL, cores) as environment, environment.system(Tms) as system:
        system.prepare(FULL.pixel_fleet)
        pin(os.getpid(), cores.server)
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        links = boot(FULL.pixel_fleet)
        print(as_table(asyncio.run(measure(links, environment.broker.pid))))


def boot(number: int) -> Sequence[BareLink]:
    from tms.fleet.credentials.services import TerminalIdentity
    from tms.fleet.models import Terminal
    from tms.ingest import commit
    from tms.ingest.items import Booted
    from tms.protocol.frames import BootFrame

    terminals = Terminal.objects.order_by("pk").values_list("pk", "uid", "site_id", "kind")[:number]
    links = [BareLink(TerminalIdentity(*terminal)) for terminal in terminals]
    booted = [Booted(link, datetime.now(UTC), BootFrame(link.boot_id), None) for link in links]
    commit.write(booted)
    for item in booted:
        assert item.outcome is not None
        item.link.number, item.link.boot_pk = item.outcome.session, item.outcome.boot_pk
    return links


@contextmanager
def publishing() -> Iterator[None]:
    """Changes are published by the event loop of another thread, as in a server."""
    from tms.feed.publisher import feed

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    loop.call_soon_threadsafe(feed().attach)
    yield
    asyncio.run_coroutine_threadsafe(feed().detach(), loop).result()
    loop.call_soon_threadsafe(loop.stop)


async def measure(links: Sequence[BareLink], redis: int) -> list[FlushCost]:
    from tms.alerts.rules.cache import rule_cache
    from tms.feed.hub import hub
    from tms.feed.publisher import feed
    from tms.ingest.commit.loop_writer import LoopWriter

    hub().listeners.add(rule_cache())
    hub().start()
    while not hub().is_live:  # noqa: ASYNC110  (nothing is notified)
        await asyncio.sleep(0.01)
    await asyncio.to_thread(rule_cache().get)
    writer, turns = LoopWriter(), itertools.cycle(links)
    try:
        return [await _measure(writer, turns, size, redis) for size in SIZES]
    finally:
        await writer.close()
        await hub().stop()
        await feed().detach()


async def _measure(writer: Any, turns: Iterator[BareLink], size: int, redis: int) -> FlushCost:
    await _flush(writer, turns, size, WARM_UP)
    assert writer.backend_pid is not None
    processes = {"PostgreSQL": writer.backend_pid, "Redis": redis}
    rounds = []
    for _ in range(ROUNDS):
        before = _spent(processes)
        making_s = await _flush(writer, turns, size, FLUSHES)
        rounds.append({name: spent_s - before[name] for name, spent_s in _spent(processes).items()})
        rounds[-1]["server"] -= making_s
    return FlushCost(size, {name: 1e6 * median(one[name] for one in rounds) / FLUSHES for name in rounds[0]})


async def _flush(writer: Any, turns: Iterator[BareLink], size: int, number: int) -> float:
    """Commit `number` times `size` reports of other terminals. Returns the CPU seconds that making them took."""
    making_s = 0.0
    for _ in range(number):
        began = time.thread_time()
        reports = [_report(next(turns)) for _ in range(size)]
        making_s += time.thread_time() - began
        _, rest = await writer.write(reports)
        assert not rest, "the event loop did not commit them"
    return making_s


def _spent(processes: Mapping[str, int]) -> dict[str, float]:
    """Seconds: CPU of this thread and of these processes, and the time."""
    spent_s = {name: sum(thread_seconds(pid).values()) for name, pid in processes.items()}
    return {"server": time.thread_time(), **spent_s, "elapsed": time.perf_counter()}


def flushes(links: Sequence[BareLink], size: int) -> Iterator[None]:
    """Writes `size` reports of other terminals at each step."""
    from tms.ingest import commit

    turns = itertools.cycle(links)
    while True:
        commit.write([_report(next(turns)) for _ in range(size)])
        yield


def _report(link: BareLink) -> Any:
    from tms.ingest.items import Reported
    from tms.protocol.frames import ReportFrame

    link.seq += 1
    at = datetime.now(UTC)
    metrics = {"temperature_c": 40.0 + link.seq % 10, "paper_percent": 80, "link_rtt_ms": link.seq % 50}
    return Reported(link, at, ReportFrame(link.seq, at, "ok", metrics), (), time.monotonic())  # type: ignore[arg-type]  # a link without callbacks


def as_table(costs: Sequence[FlushCost]) -> str:
    header = ("reports", *(f"{name} µs" for name in costs[0].us))
    return table(header, [(str(cost.size), *(f"{us:,.0f}" for us in cost.us.values())) for cost in costs])


if __name__ == "__main__":
    main()
