"""A system under test: a server process on a database and a Redis that it is given, seeded with the fleet."""

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
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psycopg

from benchmarks.load.dialect import Dialect
from benchmarks.systems.address import Address
from tests.services import HOST, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
START_DEADLINE_S = 30
STOP_DEADLINE_S = 30


class System(ABC):
    """Make it once in a run; start its server for each scenario, so that none inherits another's memory."""

    name: str
    dialect: Dialect
    bearable_per_second = math.inf
    """Reports that it can take for long; a steady load above it would only measure a queue."""

    def __init__(self, *, database_url: str, redis_url: str, cores: Collection[int]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"tms-bench-{self.name}-"))
        self.port = free_port()
        self.cores = cores
        self.database_url = _new_database(database_url)
        self.redis_url = redis_url
        self.process: subprocess.Popen[bytes] | None = None
        self.cookie = ""

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
    @abstractmethod
    def report_table(self) -> str: ...

    @property
    def address(self) -> Address:
        return Address(self.dialect, HOST, self.port, self.cookie)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def prepare(self, terminals: int) -> None:
        """Make the tables and the fleet."""
        self._run(self.migrate)
        self.cookie = self._run([*self.seed, str(terminals)]).strip()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.serve, cwd=ROOT, env=os.environ | self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
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

    def reports(self) -> int:
        """How many reports are committed."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(f"SELECT count(*) FROM {self.report_table}").fetchone()
        return int(row[0]) if row else 0

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | self.env,
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
        except ConnectionError:
            return False


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _new_database(url: str) -> str:
    name = f"bench_{secrets.token_hex(4)}"
    parts = urlsplit(url)
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return parts._replace(path=f"/{name}").geturl()
