"""A system under test: a server process on a given database and Redis, seeded with the fleet."""

import math
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psycopg

from benchmarks.load.client_protocol import ClientProtocol
from benchmarks.systems.address import Address
from deploy.processes import HOST, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
START_DEADLINE_S = 30
STOP_DEADLINE_S = 30
BLANKS: dict[Sequence[str], str] = {}
"""URLs of databases with tables only, by PostgreSQL and the command that created them."""


class System(ABC):
    """Prepare it once in a run; its server may start and stop repeatedly."""

    name: str
    protocol: ClientProtocol
    root = ROOT
    """The checkout whose code runs."""
    bearable_per_second = math.inf
    """Reports per second that it can sustain; a steady load above it would only measure a queue."""

    bearable_deliveries_per_second = math.inf
    """Messages per second, to all boards together, that it can sustain."""

    def __init__(
        self, *, database_url: str, redis_url: str, cores: Collection[int], settings: Mapping[str, str] | None = None
    ) -> None:
        """`settings` are environment variables in addition to those that the system needs."""
        self.folder = Path(tempfile.mkdtemp(prefix=f"tms-bench-{self.name}-"))
        self.port = free_port()
        self.cores = cores
        self.database_url = _address_of_a_new_database(database_url)
        self.redis_url = redis_url
        self.settings = dict(settings or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.cookie = ""
        self._broadcasts = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    @abstractmethod
    def env(self) -> dict[str, str]: ...

    @property
    @abstractmethod
    def migrate(self) -> Sequence[str]: ...

    @property
    @abstractmethod
    def seed(self) -> Sequence[str]: ...

    @property
    @abstractmethod
    def serve(self) -> Sequence[str]: ...

    @property
    def serve_broadcast(self) -> Sequence[str]:
        """The command that serves for broadcasts, like `serve`; messages to the protocol's group reach every board."""
        return self.serve

    @property
    @abstractmethod
    def report_table(self) -> str: ...

    @property
    def address(self) -> Address:
        return Address(self.protocol, HOST, (self.port,), self.cookie, self.redis_url)

    @property
    def pids(self) -> Sequence[int]:
        """The process ids of its server."""
        return [self.process.pid] if self.process is not None else []

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @classmethod
    def absence(cls) -> str:
        """Why it cannot be measured here; empty when it can."""
        return ""

    @classmethod
    def versions(cls) -> dict[str, str]:
        """The versions of what it runs on besides the packages of TMS, by name."""
        return {}

    @classmethod
    def has_boards(cls) -> bool:
        return bool(cls.protocol.board_paths)

    def bearable(self, per_second: float, *, boards: int) -> float:
        """The number of reports a second, or the sustainable rate if it is lower."""
        return min(per_second, self.bearable_per_second, self.bearable_deliveries_per_second / boards)

    def prepare(self, terminals: int) -> None:
        """Create the tables and the fleet."""
        self.prepare_with([*self.seed, str(terminals)])

    def prepare_with(self, seed: Sequence[str]) -> None:
        """`seed` fills the database and prints the cookie of a signed-in person."""
        self._make_tables()
        self.cookie = self.run(seed).strip()

    def create_tables(self) -> None:
        """Create the tables in an empty database."""
        self.run(self.migrate)

    def _make_tables(self) -> None:
        """The first of its kind on this PostgreSQL creates them; the others copy its result."""
        kind = (urlsplit(self.database_url).netloc, *self.migrate)
        if kind not in BLANKS:
            _create(self.database_url)
            self.create_tables()
            BLANKS[kind] = _address_of_a_new_database(self.database_url)
            _create(BLANKS[kind], template=self.database_url)
            return
        _create(self.database_url, template=BLANKS[kind])

    def start(self, *, broadcast: bool = False) -> None:
        command = self.serve_broadcast if broadcast else self.serve
        self._broadcasts = broadcast
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        os.sched_setaffinity(self.process.pid, self.cores)  # before it has threads, which inherit it
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self) -> None:
        self.stop()
        self.start(broadcast=self._broadcasts)

    def reports(self) -> int:
        """The number of committed reports."""
        return self.count(f"SELECT count(*) FROM {self.report_table}")

    def count(self, sql: str) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(sql).fetchone()
        return int(row[0]) if row else 0

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(sql)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | self.env | self.settings

    def run(self, command: Sequence[str]) -> str:
        """Its standard output."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(command)} failed:\n{done.stderr[-4000:]}")
        return done.stdout

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                return True
        except (ConnectionError, TimeoutError):
            return False


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _address_of_a_new_database(url: str) -> str:
    return urlsplit(url)._replace(path=f"/bench_{secrets.token_hex(4)}").geturl()


def _create(url: str, *, template: str = "/template1") -> None:
    """`template` is the URL of a database without connections."""
    parts = urlsplit(url)
    name, origin = parts.path[1:], urlsplit(template).path[1:]
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {origin}")
