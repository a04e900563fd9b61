"""`python -m benchmarks.migration`: migrates a large fleet with a year of history from the release before, which serves
meanwhile. Prints how long it took, which locks it held, and how long clients of that release waited.

It has a durable PostgreSQL of its own, and needs about 6 GB of disk. Exits with 1 if it took too long, held a lock for
too long, or if a client got an error.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.migration.clients import Clients
from benchmarks.migration.locks import MIGRATION, LockWatch
from benchmarks.migration.plan import FULL, LONGEST_LOCK_S, LONGEST_S, LONGEST_WAIT_S, TINY, MigrationPlan
from benchmarks.migration.previous import PreviousTms, checked_out
from benchmarks.output.report import number, table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.running.progress import say
from benchmarks.systems.system import ROOT, python

APPLIED = "SELECT app || '.' || name, applied FROM django_migrations WHERE applied > %s ORDER BY id"
REMAINING = {
    "terminals without a device": """SELECT count(*) FROM fleet_terminal t
        WHERE NOT EXISTS (SELECT 1 FROM fleet_placement p WHERE p.terminal_id = t.id)""",
    "keys without a device": "SELECT count(*) FROM fleet_credential WHERE device_id IS NULL",
}
"""What a migration must not leave behind."""
LISTED_LOCKS = 12


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.migration", description=__doc__)
    parser.add_argument("--previous", type=Path, metavar="FOLDER", help="the code of the release before")
    parser.add_argument("--losses", type=float, help="of each terminal and day, in the year of history")
    parser.add_argument("--terminals", type=int)
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args(arguments)
    plan = TINY if options.tiny else FULL
    plan = replace(
        plan,
        losses_per_day=options.losses or plan.losses_per_day,
        terminals=options.terminals or plan.terminals,
    )
    with (
        checked_out(options.previous) as root,
        Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment,
        environment.system(PreviousTms) as system,
    ):
        system.root = root
        return measure(system, plan)


def measure(system: PreviousTms, plan: MigrationPlan) -> int:
    say(f"a fleet of {plan.terminals:,} terminals with {plan.days} days of history, of the release before")
    began = time.monotonic()
    system.fill(plan)
    say(f"filled in {time.monotonic() - began:.0f} s; {size(system)}")
    system.start()
    outcome = asyncio.run(migrate_while_serving(system, plan))
    print(outcome.text())
    return int(bool(outcome.exceeded))


class Outcome:
    def __init__(self) -> None:
        self.took_s = 0.0
        self.steps: list[tuple[str, float]] = []
        self.locks: list[tuple[str, str, str, float, str]] = []
        self.figures: dict[str, dict[str, tuple[int, float]]] = {}
        self.remaining: dict[str, int] = {}
        self.unacknowledged = 0

    @property
    def exceeded(self) -> list[str]:
        errors = sum(count for phase in self.figures.values() for what, (count, _) in phase.items() if "error" in what)
        waits = [wait for phase in ("migration", "after") for _, wait in self.figures[phase].values()]
        limits = {
            "seconds": (self.took_s, LONGEST_S),
            "longest lock, s": (max((seconds for *_, seconds, _ in self.locks), default=0.0), LONGEST_LOCK_S),
            "longest wait of a client, s": (max(waits, default=0.0), LONGEST_WAIT_S),
            "errors of clients": (errors, 0),
            "reports not acknowledged": (self.unacknowledged, 0),
            **{what: (left, 0) for what, left in self.remaining.items()},
        }
        return [
            f"{what}: {number(value)} (limit {number(limit)})"
            for what, (value, limit) in limits.items()
            if value > limit
        ]

    def text(self) -> str:
        clients = [
            (phase, what, f"{count:,}", number(wait))
            for phase, figures in self.figures.items()
            for what, (count, wait) in figures.items()
        ]
        locks = [(name, mode, how, f"{seconds:.2f}", statement) for name, mode, how, seconds, statement in self.locks]
        return "\n\n".join(
            (
                f"migrated in {self.took_s:.1f} s, with the start of the command",
                table(("migration", "seconds"), [(name, f"{seconds:.2f}") for name, seconds in self.steps]),
                table(("locked table", "mode", "how", "seconds", "statement"), locks),
                table(("when", "client", "number", "longest wait, s"), clients),
                f"exceeded: {'; '.join(self.exceeded) or 'nothing'}",
            )
        )


async def migrate_while_serving(system: PreviousTms, plan: MigrationPlan) -> Outcome:
    outcome = Outcome()
    clients = Clients(system.address, uids_of(system), plan.reporting)
    await clients.begin()
    await asyncio.sleep(plan.settle_s)
    outcome.figures["before"] = clients.read_figures()
    began_at = datetime.now(UTC)
    with LockWatch(system.database_url) as locks:
        say("migrating")
        began = time.monotonic()
        await asyncio.to_thread(migrate, system)
        outcome.took_s = time.monotonic() - began
        outcome.figures["migration"] = clients.read_figures()
        await asyncio.sleep(plan.settle_s)
    outcome.figures["after"] = clients.read_figures()
    outcome.unacknowledged = await clients.end()
    outcome.locks = [
        (lock.table, lock.mode, "held" if lock.is_granted else "waited for", seen.seconds, seen.statement)
        for lock, seen in locks.longest()[:LISTED_LOCKS]
    ]
    outcome.steps = steps(system, began_at)
    outcome.remaining = {what: system.count(sql) for what, sql in REMAINING.items()}
    return outcome


def migrate(system: PreviousTms) -> None:
    command = python("manage.py", "migrate", "--no-input", "--skip-checks", "--verbosity", "0")
    environment = system.environment_of_this_release | {"PGAPPNAME": MIGRATION}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the migration failed:\n{done.stderr[-4000:]}")


def steps(system: PreviousTms, began_at: datetime) -> list[tuple[str, float]]:
    """Each migration, and the seconds since the one before was applied; of the first, since the command was started."""
    with psycopg.connect(system.database_url) as database:
        rows: list[tuple[str, datetime]] = database.execute(APPLIED, [began_at]).fetchall()
    before = [began_at, *(at for _, at in rows)]
    return [(name, (at - since).total_seconds()) for since, (name, at) in zip(before, rows, strict=False)]


def uids_of(system: PreviousTms) -> list[str]:
    """The terminals with a valid key, in the order of their names."""
    with psycopg.connect(system.database_url) as database:
        rows = database.execute(
            """SELECT uid FROM fleet_terminal t WHERE EXISTS (
                SELECT 1 FROM fleet_credential WHERE terminal_id = t.id AND revoked_at IS NULL) ORDER BY md5(uid)"""
        ).fetchall()
    return [uid for (uid,) in rows]


def size(system: PreviousTms) -> str:
    tables = {"changes of presence": "fleet_presencechange", "outages": "fleet_outage", "alerts": "alerts_alert"}
    counts = [f"{system.count(f'SELECT count(*) FROM {name}'):,} {what}" for what, name in tables.items()]
    return f"{', '.join(counts)}, {system.count('SELECT pg_database_size(current_database())') / 2**30:.1f} GiB"


if __name__ == "__main__":
    sys.exit(main())
