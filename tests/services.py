"""PostgreSQL and Redis of our own: private, on free loopback ports, gone at the end.

`python -m tests.services COMMAND ...` runs COMMAND with both and names them in TMS_DATABASE_URL and TMS_REDIS_URL.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

START_DEADLINE_S = 30
STOP_DEADLINE_S = 10
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Service(ABC):
    """A server process that can be stopped, killed and started again on the same port and data."""

    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"tms-{type(self).__name__.lower()}-"))
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self.__exit__)
            self.start()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    @abstractmethod
    def command(self) -> Sequence[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = self.spawn(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_DEADLINE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{type(self).__name__} did not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        self._end(self.stop_signal)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal reaches the tests, and they end the service when they are done.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Redis(Service):
    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    @property
    def command(self) -> Sequence[str]:
        place = ["--bind", HOST, "--port", str(self.port), "--dir", str(self.folder)]
        return ["redis-server", *place, "--save", "", "--appendonly", "no"]

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


class PostgreSQL(Service):
    stop_signal = signal.SIGINT  # its "fast" shutdown: does not wait for clients to leave

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self.durability = {} if durable else NOT_DURABLE

    @property
    def url(self) -> str:
        return f"postgres://tms@{HOST}:{self.port}/tms"

    @property
    def command(self) -> Sequence[str]:
        loopback = ["-h", HOST, "-p", str(self.port), "-k", ""]
        return [_postgresql("postgres"), "-D", str(self.data), *loopback, *_set(max_connections=300, **self.durability)]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        is_new = not self.data.exists()
        if is_new:
            self._initialise()
        super().start()
        if is_new:
            with self._connect() as connection:
                connection.execute("CREATE DATABASE tms")

    def answers(self) -> bool:
        try:
            with self._connect():
                return True
        except psycopg.OperationalError:
            return False

    def spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        if owner := _unprivileged():
            options |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": self.folder}
        return super().spawn(command, **options)

    def _initialise(self) -> None:
        if owner := _unprivileged():
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        initdb = [_postgresql("initdb"), "-D", str(self.data), "-U", "tms", "-A", "trust", "-E", "UTF8", "--locale=C"]
        with self.spawn([*initdb, "--no-sync"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"initdb failed:\n{output.decode()}")

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=HOST, port=self.port, user="tms", dbname="postgres", autocommit=True)


NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""A test's database need not outlive the machine; it does outlive a kill."""


def _set(**settings: object) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _postgresql(program: str) -> str:
    """Debian keeps the server's programs off the PATH, by version."""
    if found := shutil.which(program):
        return found
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{program}")
    return str(max(versions, key=lambda path: float(path.parts[-3])))


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root, because it refuses to be root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def main(command: Sequence[str]) -> int:
    # Ctrl-C reaches the command by itself; we outlive it in order to tidy up.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with PostgreSQL() as database, Redis() as broker:
        where = {"TMS_DATABASE_URL": database.url, "TMS_REDIS_URL": broker.url}
        child = subprocess.Popen(command, env=os.environ | where)
        try:
            return child.wait()
        finally:
            child.terminate()
            child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
