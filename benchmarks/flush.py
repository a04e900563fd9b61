"""`python -m benchmarks.flush`: the duration of one flush of ingest by its number of reports.

Runs the store in this process against a durable PostgreSQL, without sockets, boards and rules: the fixed part of a
flush decides how soon a report can be acknowledged at low load.
"""

import asyncio
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

from benchmarks.measuring.meter import pin, thread_seconds
from benchmarks.output.report import table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL
from benchmarks.systems.tms import Tms

SIZES = (1, 5, 20, 100)
WARM_UP, FLUSHES = 50, 500


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
    size: int
    python_us: float
    database_us: float
    elapsed_us: float
    statements: int
    round_trips: int


def main() -> None:
    cores = machine.assign_cores()
    with Environment.set_up(FULL, cores) as environment, environment.system(Tms) as system:
        system.prepare(FULL.pixel_fleet)
        pin(os.getpid(), cores.server)
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        links = boot(FULL.pixel_fleet)
        with publishing():
            costs = [measure(links, size) for size in SIZES]
    print(as_table(costs))


def boot(number: int) -> Sequence[BareLink]:
    from tms.fleet.credentials.services import TerminalIdentity
    from tms.fleet.models import Terminal
    from tms.ingest import store
    from tms.ingest.items import Booted
    from tms.protocol.frames import BootFrame

    terminals = Terminal.objects.order_by("pk").values_list("pk", "uid", "site_id", "kind")[:number]
    links = [BareLink(TerminalIdentity(*terminal)) for terminal in terminals]
    booted = [Booted(link, datetime.now(UTC), BootFrame(link.boot_id), None) for link in links]
    store.write(booted)
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


def measure(links: Sequence[BareLink], size: int) -> FlushCost:
    from django.db import connection

    steps = flushes(links, size)
    for _ in range(WARM_UP):
        next(steps)
    backend = connection.connection.info.backend_pid
    began, cpu, database = time.perf_counter(), time.thread_time(), sum(thread_seconds(backend).values())
    for _ in range(FLUSHES):
        next(steps)
    took = time.perf_counter() - began, time.thread_time() - cpu, sum(thread_seconds(backend).values()) - database
    elapsed_us, python_us, database_us = (1e6 * seconds / FLUSHES for seconds in took)
    with _traced(connection.connection.pgconn) as lines:
        next(steps)
    return FlushCost(size, python_us, database_us, elapsed_us, *_counted(lines))


def flushes(links: Sequence[BareLink], size: int) -> Iterator[None]:
    """Writes `size` reports of other terminals at each step."""
    from tms.ingest import store

    turns = itertools.cycle(links)
    while True:
        store.write([_report(next(turns)) for _ in range(size)])
        yield


def _report(link: BareLink) -> Any:
    from tms.ingest.items import Reported
    from tms.protocol.frames import ReportFrame

    link.seq += 1
    at = datetime.now(UTC)
    metrics = {"temperature_c": 40.0 + link.seq % 10, "paper_percent": 80, "link_rtt_ms": link.seq % 50}
    return Reported(link, at, ReportFrame(link.seq, at, "ok", metrics), (), time.monotonic())  # type: ignore[arg-type]  # a link without callbacks


@contextmanager
def _traced(pgconn: Any) -> Iterator[list[str]]:
    """The protocol messages of libpq while it is open."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace")
        with path.open("w") as file:
            pgconn.trace(file.fileno())
            yield lines
            pgconn.untrace()
        lines += path.read_text().splitlines()


def _counted(lines: Sequence[str]) -> tuple[int, int]:
    """Statements, and waits for their answers."""
    sent = [line.split("\t") for line in lines]
    kinds = [(fields[1], fields[3]) for fields in sent if len(fields) > 3]
    statements = sum(kind in {("F", "Execute"), ("F", "Query")} for kind in kinds)
    turns = [direction for direction, _ in itertools.groupby(direction for direction, _ in kinds)]
    return statements, turns.count("F")


def as_table(costs: Sequence[FlushCost]) -> str:
    header = ("reports", "Python µs", "PostgreSQL µs", "elapsed µs", "statements", "round trips")
    rows = [
        (
            str(cost.size),
            f"{cost.python_us:,.0f}",
            f"{cost.database_us:,.0f}",
            f"{cost.elapsed_us:,.0f}",
            str(cost.statements),
            str(cost.round_trips),
        )
        for cost in costs
    ]
    return table(header, rows)


if __name__ == "__main__":
    main()
