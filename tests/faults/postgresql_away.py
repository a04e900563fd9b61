"""PostgreSQL that stops, dies, hangs, or takes no writes: R27, R31."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from tests.faults.fault import Fault, Finding
from tests.faults.health import health_is_watched
from tests.faults.place import Several
from tests.faults.processes import family, kill_family, resident_mib, send_signal
from tests.faults.scene import Scene, seconds_until

AWAY_S = 20.0
AWAY_LONG_S = 119.0
"""With the grace, the two minutes that R27 promises."""
GRACE_S = 1.0
"""An acknowledgement that was on its way when the database stopped has arrived by then."""
MOST_MIB = 60.0
"""All nodes together may grow by so much while nothing can be committed."""

READ_ONLY = """
ALTER DATABASE tms SET default_transaction_read_only = {};
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tms' AND pid <> pg_backend_pid();
"""


async def restart(scene: Scene[Several], finding: Finding) -> None:
    async with without_postgresql(scene, finding, is_seen=False):  # it is back before anybody asked
        await asyncio.to_thread(scene.place.postgresql.stop)
        await asyncio.to_thread(scene.place.postgresql.start)


async def kill(scene: Scene[Several], finding: Finding) -> None:
    async with without_postgresql(scene, finding, is_seen=False):
        await asyncio.to_thread(kill_family, scene.place.postgresql.pid)
        await asyncio.to_thread(scene.place.postgresql.wait_until_ended)
        await asyncio.to_thread(scene.place.postgresql.start)


async def be_away(scene: Scene[Several], finding: Finding) -> None:
    async with without_postgresql(scene, finding):
        await asyncio.to_thread(scene.place.postgresql.stop)
        await nothing_is_acknowledged(scene, finding, for_s=AWAY_LONG_S)
        await asyncio.to_thread(scene.place.postgresql.start)


async def hang(scene: Scene[Several], finding: Finding) -> None:
    """Connections stay open, and nothing comes back over them."""
    processes = family(scene.place.postgresql.pid)
    async with without_postgresql(scene, finding):
        send_signal(processes, signal.SIGSTOP)
        try:
            await nothing_is_acknowledged(scene, finding)
        finally:
            send_signal(processes, signal.SIGCONT)


async def take_no_writes(scene: Scene[Several], finding: Finding) -> None:
    """As a node sees what was the primary before a failover."""
    async with without_postgresql(scene, finding):
        await asyncio.to_thread(make_read_only, scene, is_so=True)
        try:
            await nothing_is_acknowledged(scene, finding)
        finally:
            await asyncio.to_thread(make_read_only, scene, is_so=False)


def make_read_only(scene: Scene[Several], *, is_so: bool) -> None:
    with scene.place.postgresql.connect("postgres") as connection:
        for statement in READ_ONLY.format("on" if is_so else "off").strip().splitlines():
            connection.execute(statement)


@contextlib.asynccontextmanager
async def without_postgresql(scene: Scene[Several], finding: Finding, *, is_seen: bool = True) -> AsyncIterator[None]:
    """Sockets stay, memory is bounded, and soon after everything that was made is acknowledged."""
    observer, losses = scene.observer, scene.observer.losses
    before_mib = resident(scene)
    async with health_is_watched(scene, finding, is_seen=is_seen) as outage, scene.disturbed(finding) as disturbance:
        outage.begins()
        yield
        disturbance.is_over()
        outage.is_over()
        made = [(terminal, terminal.made) for terminal in observer.terminals]
        recovered_s = await seconds_until(
            lambda: all(terminal.acked >= number for terminal, number in made), within_s=60
        )
        grown_mib = resident(scene) - before_mib
    finding.promise("all that waited acknowledged", recovered_s, at_most=30, unit="s")
    finding.promise("links lost", observer.losses - losses, at_most=0)
    finding.promise("nodes grew by", grown_mib, at_most=MOST_MIB, unit="MiB")


async def nothing_is_acknowledged(scene: Scene[Several], finding: Finding, *, for_s: float = AWAY_S) -> None:
    """While it is away."""
    await asyncio.sleep(GRACE_S)
    acked = scene.observer.acked
    await asyncio.sleep(for_s)
    finding.promise("acknowledged meanwhile", scene.observer.acked - acked, at_most=0)
    finding.figures["reports that waited"] = scene.observer.waiting


def resident(scene: Scene[Several]) -> float:
    return sum(resident_mib(node.pid) for node in scene.place.nodes)


FAULTS = (
    Fault("postgresql-restart", "R27", "PostgreSQL is restarted", restart, is_quick=True),
    Fault("postgresql-kill", "R27", "kill -9 of every process of PostgreSQL", kill),
    Fault("postgresql-away", "R27", "PostgreSQL is away for two minutes", be_away),
    Fault("postgresql-hang", "R27", "PostgreSQL hangs for 21 s (SIGSTOP)", hang),
    Fault("postgresql-read-only", "R31", "PostgreSQL takes no writes for 21 s", take_no_writes),
)
