"""`make cluster`: one command, which keeps everything running and leaves nothing behind."""

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploy.cluster.view import compact_log_line
from deploy.processes.tms_process import ROOT
from tests.support.polling import DEADLINE_S
from tests.support.services import HOST, free_port

pytestmark = pytest.mark.services

SIGN_IN = r"sign in: (\S+ / \S+)"


class Output:
    """The lines that a command prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._more = threading.Condition()
        self._is_over = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.lines.append(line.rstrip())
                self._more.notify_all()
        with self._more:
            self._is_over = True
            self._more.notify_all()

    def find(self, pattern: str, *, times: int = 1) -> re.Match[str]:
        """Wait for the line."""
        deadline = time.monotonic() + DEADLINE_S
        with self._more:
            while len(found := [match for line in self.lines if (match := re.search(pattern, line))]) < times:
                assert not self._is_over, f"no {pattern!r} in {self.lines}"
                assert self._more.wait(deadline - time.monotonic()), f"no {pattern!r} in {self.lines}"
        return found[times - 1]


def first_port() -> int:
    """One of a hundred that is not in use."""
    while True:
        first = free_port() % 30_000 + 2_000
        with contextlib.suppress(OSError), contextlib.ExitStack() as probes:
            for offset in (0, 1, 10, 70, 71, 90, 91):
                probe = probes.enter_context(socket.socket())
                probe.bind((HOST, first + offset))
            return first


@contextmanager
def started(folder: Path, **options: str) -> Iterator[Output]:
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cluster"],
        cwd=ROOT,
        env=os.environ | {"N": "1", "CLOCKS": "1", "TMS_DATA_DIR": str(folder)} | options,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Output(process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE_S)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """PostgreSQL runs as another user when we are root, who may not enter pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="tms-cluster-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_it_serves_restarts_dead_services_stops_everything_and_starts_again(data_dir):
    """The second start is killed, because a start takes longer than the checks."""
    port = first_port()
    with started(data_dir, PORT=str(port)) as output:
        output.find("^node-1: running")
        family = psutil.Process(output.process.pid).children(recursive=True)
        node = int(output.find(r"^node-1: running, pid (\d+)")[1])

        os.kill(node, signal.SIGKILL)
        output.find("^node-1: died with -9")
        output.find("^node-1: running", times=2)
        trust = ssl.create_default_context(cafile=str(data_dir / "cluster/certificate/chain.pem"))
        with urllib.request.urlopen(f"https://{HOST}:{port}/health/", context=trust) as answer:
            status = answer.status
        output.process.send_signal(signal.SIGINT)
        output.find("^Stopped.$")

        assert (status, output.process.wait(DEADLINE_S)) == (200, 0)
        stopped = [line.partition(":")[0] for line in output.lines if line.endswith(": stopped")]
        assert stopped == ["node-1", "clock-1", "nginx", "redis", "postgresql"]
        assert not [process for process in family if process.is_running()]
        first = output.find(SIGN_IN)[1]

    with started(data_dir, PORT=str(port)) as output:
        output.find("^node-1: running")
        second = output.find(SIGN_IN)[1]
        family = psutil.Process(output.process.pid).children(recursive=True)

        output.process.kill()

        _, alive = psutil.wait_procs(family, timeout=DEADLINE_S)
    assert second == first
    assert not alive


def test_a_port_in_use_is_reported(data_dir):
    with socket.socket() as taken:
        port = first_port()
        taken.bind((HOST, port))

        with started(data_dir, PORT=str(port)) as output:
            output.find(f"port {port}, for nginx, is in use; choose others: PORT=")

            assert output.process.wait(DEADLINE_S) == 2


@pytest.mark.parametrize(("name", "value"), [("N", "0"), ("N", "many"), ("CLOCKS", "-1"), ("PORT", "99999")])
def test_an_invalid_number_is_reported(data_dir, name, value):
    with started(data_dir, **{name: value}) as output:
        output.find(f"{name}='{value}': expected a whole number from")

        assert output.process.wait(DEADLINE_S) == 2


def test_a_missing_program_is_reported_with_its_package(data_dir):
    with started(data_dir, PATH=str(data_dir)) as output:
        output.find(r"is not installed \(Debian and Ubuntu: apt-get install")

        assert output.process.wait(DEADLINE_S) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs its servers as another user")
def test_a_folder_that_the_user_of_postgresql_may_not_enter_is_reported(data_dir):
    private = data_dir / "private"
    private.mkdir(mode=0o700)

    with started(private / "data") as output:
        output.find(f"PostgreSQL runs as .*, who may not enter {private}; choose another folder: TMS_DATA_DIR=")

        assert output.process.wait(DEADLINE_S) == 1


LINES = [
    ('{"event": "clock_leads", "was_away": false, "level": "info", "timestamp": "…"}', "clock_leads was_away=False"),
    ("plain words", "plain words"),
    ("[1, 2]", "[1, 2]"),
    ("\x1b[2Jgone\x07", "gone"),
    ('{"event": "\\u001b[31mred"}', "red"),
]


@pytest.mark.parametrize(("line", "shown"), LINES)
def test_a_line_of_a_log_cannot_move_the_cursor(line, shown):
    assert compact_log_line(line) == shown
