"""PostgreSQL as a process."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from deploy.processes.programs import find_postgresql, first_closed_folder, unprivileged
from deploy.processes.service import HOST, Service, StartFailed

NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""A test's database need not survive the machine; it does survive a kill."""


class PostgreSQL(Service):
    """A server with the database `tms`, whose owner `tms` needs no password."""

    stop_signal = signal.SIGINT  # its "fast" shutdown, which does not wait for clients

    def __init__(
        self, *, durable: bool = False, name: str = "", folder: Path | None = None, port: int | None = None
    ) -> None:
        super().__init__(name=name, folder=folder, port=port)
        self.durability = {} if durable else NOT_DURABLE

    @property
    def url(self) -> str:
        return f"postgres://tms@{HOST}:{self.port}/tms"

    @property
    def command(self) -> Sequence[str]:
        loopback = ["-h", HOST, "-p", str(self.port), "-k", ""]
        program = find_postgresql("postgres")
        return [program, "-D", str(self.data), *loopback, *_set(max_connections=300, **self.durability)]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def launch(self) -> None:
        if not self.data.exists():
            self._initialise()
        super().launch()

    def wait_until_ready(self) -> None:
        super().wait_until_ready()
        with self.connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'tms'").fetchone():
                connection.execute("CREATE DATABASE tms")

    def answers(self) -> bool:
        try:
            with self.connect("postgres"):
                return True
        except psycopg.OperationalError:
            return False

    def connect(self, database: str = "tms") -> psycopg.Connection:
        return psycopg.connect(
            host=HOST, port=self.port, user="tms", dbname=database, autocommit=True, connect_timeout=5
        )

    def spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        if owner := unprivileged("postgres"):
            options |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": self.folder}
        return super().spawn(command, **options)

    def _initialise(self) -> None:
        if owner := unprivileged("postgres"):
            if closed := first_closed_folder(owner, self.folder):
                where = f"PostgreSQL runs as {owner.pw_name}, who may not enter {closed}"
                raise StartFailed(f"{where}; choose another folder: TMS_DATA_DIR=…")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        program = find_postgresql("initdb")
        initdb = [program, "-D", str(self.data), "-U", "tms", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        with self.spawn(initdb, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            output, _ = process.communicate()
        if process.returncode:
            raise StartFailed(f"initdb failed:\n{output.decode()}")


def load_sql(url: str, file: Path) -> None:
    """Run the SQL of a dump in the database of `url`."""
    options = ("--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={file}")
    subprocess.run([find_postgresql("psql"), url, *options], check=True, stdout=subprocess.DEVNULL)


def _set(**settings: object) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
