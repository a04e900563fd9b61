"""Complete TMS installations in which faults are injected."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import psycopg

from deploy.processes.cluster import Cluster
from deploy.processes.tms_process import clean_environment
from tests.support.servers.tms import ROOT, RunningTMS

FAST_SETTINGS: Mapping[str, str] = {
    "TMS_PRODUCTION": "0",
    "TMS_ALLOWED_HOSTS": "*",
    "TMS_HEARTBEAT_S": "3",
    "TMS_LEASE_GRACE_S": "10",
    "TMS_OFFLINE_AFTER_S": "10",
    "TMS_RECONNECT_GRACE_S": "30",
    "TMS_PING_INTERVAL_S": "5",
    "TMS_PING_TIMEOUT_S": "3",
    "TMS_DRAIN_SPREAD_S": "8",
    "TMS_PROOF_INTERVAL_S": "1",
    "TMS_FRAMES_PER_MINUTE": "600",
    "TMS_FRAMES_BURST": "300",
    "TMS_LOG_FORMAT": "json",
}
"""Shorter times than in production, which make false alerts more likely: a terminal without a frame for 13 s is
silent, offline 10 s later, and has an alert 2 s after that. The retry times of terminals are not shortened: after
three failures they wait up to 8 s, so shorter limits would report terminals that are reconnecting.
"""


class Environment(Protocol):
    """Runs while it is entered; removed completely at the end."""

    @property
    def url(self) -> str:
        """The URL of pages and boards."""

    @property
    def link(self) -> str:
        """The URL of terminals."""

    @property
    def logs(self) -> Sequence[Path]: ...
    @property
    def exited(self) -> Sequence[str]:
        """The processes that were started and have ended, with their exit codes."""

    def get(self, path: str, cookie: str) -> int:
        """The status of a page."""

    def __enter__(self) -> Any: ...
    def __exit__(self, *error: object) -> None: ...
    def manage(self, *arguments: str) -> str: ...
    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]: ...
    def spawn(self, module: str, output: Path) -> subprocess.Popen[bytes]:
        """Start a Python module with the settings of this TMS."""


class FaultCluster(Cluster):
    """A cluster as in production, except for `FAST_SETTINGS`. PostgreSQL shows the process of each connection."""

    def __init__(self, nodes: int = 3, *, clocks: int = 1, settings: Mapping[str, str] = {}) -> None:
        super().__init__(nodes, clocks=clocks, settings={**FAST_SETTINGS, **settings})
        for process in (*self.nodes, *self.clocks):
            process.environment["PGAPPNAME"] = process.name

    @property
    def logs(self) -> Sequence[Path]:
        return [service.log for service in self.services if service.log.exists()]

    @property
    def exited(self) -> Sequence[str]:
        started = [service for service in self.services if service.process is not None]
        return [f"{each.name} ({each.process.poll()})" for each in started if each.process and not each.is_running]

    def get(self, path: str, cookie: str) -> int:
        return self.nodes[0].get(path, Cookie=cookie)[0]

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        url = self.environment["TMS_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(sql, parameters).fetchall()

    def spawn(self, module: str, output: Path) -> subprocess.Popen[bytes]:
        return spawn(module, output, clean_environment() | self.environment)


class SingleProcess:
    """One process with its clock, as on a laptop: on SQLite, or on the services of the tests' pass."""

    def __init__(self, folder: Path | None = None, **settings: str) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="tms-single-"))
        self.keeps_folder = folder is not None
        self.tms = RunningTMS(self.folder, **{**FAST_SETTINGS, **settings})

    def __enter__(self) -> Self:
        self.tms.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.tms.__exit__()
        if not self.keeps_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return self.tms.url

    @property
    def link(self) -> str:
        return self.tms.link

    @property
    def logs(self) -> Sequence[Path]:
        return [self.tms.log]

    @property
    def exited(self) -> Sequence[str]:
        code = self.tms.process.poll() if self.tms.process else None
        return [] if code is None else [f"manage.py serve ({code})"]

    def get(self, path: str, cookie: str) -> int:
        return self.tms.get(path, Cookie=cookie)[0]

    def manage(self, *arguments: str) -> str:
        return self.tms.manage(*arguments)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.tms.query(sql, *parameters)

    def spawn(self, module: str, output: Path) -> subprocess.Popen[bytes]:
        return spawn(module, output, self.tms.env)


def spawn(module: str, output: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with output.open("ab") as written:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={"DJANGO_SETTINGS_MODULE": "tms.config.settings", **env},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
