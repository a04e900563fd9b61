"""A replica of PostgreSQL is promoted, because the primary is lost permanently."""

import asyncio
import os
import subprocess
import time

from deploy.processes.postgresql import PostgreSQL
from deploy.processes.programs import find_postgresql, unprivileged
from deploy.processes.service import HOST, free_port
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.processes import kill_tree
from tests.faults.scenario.scenario import Scenario, seconds_until_acknowledged

WAIT_FOR_IT = """
ALTER SYSTEM SET synchronous_standby_names = '*';
SELECT pg_reload_conf();
"""
IS_SYNCHRONOUS = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"


class Replica(PostgreSQL):
    """A streaming replica of `primary`, made from a base backup when it first starts."""

    def __init__(self, primary: PostgreSQL) -> None:
        super().__init__(durable=True, name="replica", port=free_port())
        self.primary = primary

    def launch(self) -> None:
        if not self.data.exists():
            self._copy()
        super(PostgreSQL, self).launch()

    def wait_until_ready(self) -> None:
        super(PostgreSQL, self).wait_until_ready()

    def promote(self) -> None:
        with self.connect("postgres") as connection:
            connection.execute("SELECT pg_promote(wait => true)")

    def _copy(self) -> None:
        if owner := unprivileged("postgres"):
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        backup = [find_postgresql("pg_basebackup"), "-h", HOST, "-p", str(self.primary.port), "-U", "tms"]
        how = ["-D", str(self.data), "-R", "-X", "stream", "-c", "fast"]
        with self.spawn([*backup, *how], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"pg_basebackup failed:\n{output.decode()}")


class ReplicatedCluster(FaultCluster):
    """Every process is configured with both databases, and uses the writable one."""

    def __init__(self) -> None:
        super().__init__(2)
        self.replica = Replica(self.postgresql)
        ports = f"{HOST}:{self.postgresql.port},{HOST}:{self.replica.port}"
        url = f"postgres://tms@{ports}/tms?target_session_attrs=read-write"
        for environment in (self.environment, *(each.environment for each in (*self.nodes, *self.clocks))):
            environment["TMS_DATABASE_URL"] = url

    def start_stores(self) -> None:
        super().start_stores()
        self.replica.start()
        with self.postgresql.connect("postgres") as connection:
            for statement in WAIT_FOR_IT.strip().splitlines():
                connection.execute(statement)
            deadline = time.monotonic() + 30
            while not connection.execute(IS_SYNCHRONOUS).fetchone():
                assert time.monotonic() < deadline, "the replica does not follow"
                time.sleep(0.05)

    def stop(self) -> None:
        super().stop()
        self.replica.__exit__()


async def promote_a_replica(scenario: Scenario[ReplicatedCluster], finding: Finding) -> None:
    """The primary dies permanently; the replica must have every acknowledged report."""
    environment, observer, losses = scenario.environment, scenario.observer, scenario.observer.losses
    async with scenario.during_fault(finding) as window:
        await asyncio.to_thread(kill_tree, environment.postgresql.pid)
        await asyncio.to_thread(environment.replica.promote)
        window.end()
        recovered_s = await seconds_until_acknowledged(observer.terminals)
    finding.expect("all waiting reports acknowledged", recovered_s, at_most=30, unit="s")
    finding.expect("links lost", observer.losses - losses, at_most=0)


FAULTS = (
    Fault(
        "postgresql-promote",
        "no acknowledged report is lost with the primary",
        "PostgreSQL dies permanently, and its replica is promoted",
        promote_a_replica,
    ),
)
