"""The disk of the database is full for a while."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from deploy.processes.postgresql import PostgreSQL
from deploy.processes.programs import unprivileged
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster, SingleProcess
from tests.faults.scenario.health import health_observed
from tests.faults.scenario.scenario import Scenario, seconds_until_acknowledged
from tests.faults.stores.tmpfs import SmallDisk, needs_root

FULL_S = 20.0


class SmallDiskPostgreSQL(PostgreSQL):
    """The data is on a small disk. PostgreSQL exits if the WAL cannot be written, so that is on another one, unless
    `has_wal`.
    """

    def __init__(self, folder: Path, disk: SmallDisk, *, has_wal: bool) -> None:
        super().__init__(durable=True, name="postgresql", folder=folder)
        self.disk, self.has_wal = disk, has_wal

    @property
    def data(self) -> Path:
        return self.disk.folder / "data"

    def launch(self) -> None:
        if not self.data.exists():
            if owner := unprivileged("postgres"):
                os.chown(self.disk.folder, owner.pw_uid, owner.pw_gid)
            self._initialise()
            if not self.has_wal:
                subprocess.run(["mv", self.data / "pg_wal", self.folder / "pg_wal"], check=True)
                (self.data / "pg_wal").symlink_to(self.folder / "pg_wal")
        super().launch()


class SmallDiskCluster(FaultCluster):
    def __init__(self, *, has_wal: bool = False) -> None:
        super().__init__(2)
        self.disk = SmallDisk(self.folder / "small-disk", mib=256 if has_wal else 128)
        port, folder = self.postgresql.port, self.postgresql.folder
        self.postgresql = SmallDiskPostgreSQL(folder, self.disk, has_wal=has_wal)
        self.postgresql.port = port  # the URL in every environment names it

    def start_stores(self) -> None:
        self.disk.mount()
        super().start_stores()

    def fill_the_disk(self) -> None:
        self.disk.fill()

    def make_room(self) -> None:
        """PostgreSQL is started again if it has exited, as its supervisor would."""
        self.disk.make_room()
        if not self.postgresql.is_running:
            self.postgresql.start()

    def stop(self) -> None:
        super().stop()
        self.disk.unmount()


class SmallDiskProcess(SingleProcess):
    """SQLite on a small disk."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tms-small-disk-"))
        self.disk = SmallDisk(folder, mib=32)
        super().__init__(TMS_DATA_DIR=str(folder))

    def __enter__(self) -> "SmallDiskProcess":
        self.disk.mount()
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.disk.unmount()
        self.disk.folder.rmdir()

    def fill_the_disk(self) -> None:
        """The WAL too: emptied before, it has no room that was allocated earlier."""
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        self.disk.fill()

    def make_room(self) -> None:
        self.disk.make_room()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.disk.folder / "tms.sqlite3")) as connection:
            return connection.execute(sql.replace("%s", "?"), parameters).fetchall()


async def fill_the_disk(scenario: Scenario[Any], finding: Finding) -> None:
    """Reports that cannot be stored must not be acknowledged; once there is space again, all must be."""
    observer, environment, losses = scenario.observer, scenario.environment, scenario.observer.losses
    async with health_observed(scenario, finding) as outage, scenario.during_fault(finding) as window:
        await asyncio.to_thread(environment.fill_the_disk)
        outage.begin()
        acked = observer.acked
        try:
            await asyncio.sleep(FULL_S)
            unacknowledged = 1 - (observer.acked - acked) / (FULL_S * len(observer.terminals))
            finding.figures["reports waiting"] = observer.waiting
        finally:
            await asyncio.to_thread(environment.make_room)
        outage.end()
        window.end()
        recovered_s = await seconds_until_acknowledged(observer.terminals)
    finding.expect("acknowledged while the disk was full", 100 * (1 - unacknowledged), at_most=50, unit="%")
    finding.expect("all waiting reports acknowledged", recovered_s, at_most=30, unit="s")
    finding.expect("links lost", observer.losses - losses, at_most=0)


POSTGRESQL_WAL = (
    Fault(
        "disk-full-wal",
        "nothing is acknowledged that is not stored",
        "PostgreSQL's disk and its WAL are full for 20 s",
        fill_the_disk,
        needs=needs_root,
    ),
)
POSTGRESQL = (
    Fault(
        "disk-full",
        "nothing is acknowledged that is not stored",
        "PostgreSQL's disk is full for 20 s",
        fill_the_disk,
        needs=needs_root,
    ),
)
SQLITE = (
    Fault(
        "disk-full-sqlite",
        "nothing is acknowledged that is not stored",
        "SQLite's disk is full for 20 s",
        fill_the_disk,
        needs=needs_root,
    ),
)
