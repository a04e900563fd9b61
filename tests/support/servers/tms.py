"""A TMS that runs as a process: `manage.py serve --clock`, on SQLite or on the services of this pass."""

import contextlib
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError, URLError

import psycopg

from tests.support.database import template_db
from tests.support.polling import DEADLINE_S
from tests.support.services import HOST, free_port

ROOT = Path(__file__).resolve().parents[3]

QUICK = {
    "TMS_HEARTBEAT_S": "1",
    "TMS_LEASE_GRACE_S": "1",
    "TMS_OFFLINE_AFTER_S": "1",
    "TMS_RECONNECT_GRACE_S": "3",
    "TMS_FLUSH_INTERVAL_S": "0.05",
    "TMS_FRAME_INTERVAL_S": "0.1",
    "TMS_MOVE_INTERVAL_S": "0.1",
    "TMS_PROOF_INTERVAL_S": "1",
    "TMS_DRAIN_SPREAD_S": "0.2",
    "TMS_CLOSE_TIMEOUT_S": "10",
    "TMS_LOG_FORMAT": "json",
}
"""Short intervals, so that minutes in production take seconds; but a long time to answer a close, because a test
may be slow on a busy machine.
"""

ENROL_MANY = """
import sys, django
django.setup()
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Site, Terminal
site, _ = Site.objects.get_or_create(code="SJK", defaults={"name": "Shinjuku South"})
prefix, number = sys.argv[1], int(sys.argv[2])
first = Terminal.objects.filter(uid__startswith=prefix).count()
for n in range(first, first + number):
    print(credentials.enrol(Terminal(uid=f"{prefix}{n}", site=site)))
"""


class RunningTMS:
    """One TMS. `env` are settings that differ from `QUICK`; `root` is the checkout whose code runs."""

    def __init__(self, folder: Path, *, root: Path = ROOT, **env: str) -> None:
        self.folder = folder
        self.root = root
        self.port = free_port()
        self.env = os.environ | QUICK | {"TMS_DATA_DIR": str(folder), "TMS_NODE": f"node-{self.port}"} | env
        self.process: subprocess.Popen[bytes] | None = None
        if url := os.environ.get("TMS_DATABASE_URL"):
            self.env |= {"TMS_DATABASE_URL": template_db.copy_database(url), "TMS_REDIS_PREFIX": secrets.token_hex(4)}

    def __enter__(self) -> Self:
        if "TMS_DATABASE_URL" not in self.env:
            template_db.copy_file(Path(self.env["TMS_DATA_DIR"]))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def link(self) -> str:
        return f"ws://{HOST}:{self.port}/ws/terminal/"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        command = [sys.executable, "manage.py", "serve", "--clock", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + DEADLINE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"TMS did not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def answers(self) -> bool:
        try:
            return self.get("/health/?strict")[0] == 200
        except (URLError, ConnectionError, TimeoutError):
            return False

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def manage(self, *arguments: str, **env: str) -> str:
        """Standard output of a management command."""
        return self._run(sys.executable, "manage.py", *arguments, **env)

    def _run(self, *command: str, **env: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
        return done.stdout

    def run_code(self, code: str, *arguments: str) -> str:
        """Standard output of a Python program with this TMS's settings."""
        return self._run(sys.executable, "-c", code, *arguments)

    def enrol(self, uid: str, *, site: str = "Shinjuku South", **options: str) -> str:
        """The credential of a new terminal."""
        extra = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.manage("enrol_terminal", uid, "--site", site, "--new-site", *extra).strip()

    def enrol_many(self, number: int, *, prefix: str = "T") -> list[str]:
        """The credentials of so many new terminals at one site, made by one process."""
        return self.run_code(ENROL_MANY, prefix, str(number)).split()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of this TMS's database; `%s` marks a parameter."""
        if "TMS_DATABASE_URL" in self.env:
            with psycopg.connect(self.env["TMS_DATABASE_URL"], autocommit=True) as connection:
                return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]
        with contextlib.closing(sqlite3.connect(self.folder / "tms.sqlite3")) as connection:
            return connection.execute(sql.replace("%s", "?"), parameters).fetchall()
