"""The command of `make run`: ready, running, stopped without leftovers; and a one-line error for what cannot work."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.support.database import template_db
from tests.support.polling import DEADLINE_S
from tests.support.servers.tms import ROOT
from tests.support.services import HOST, free_port


def start(folder: Path, **env: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TMS_")}
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env=clean | {"TMS_DATA_DIR": str(folder), "TMS_HEARTBEAT_S": "1"} | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_demo_reports_when_it_is_ready_and_stops_without_leaving_a_process(tmp_path):
    demo = start(tmp_path, PORT=str(free_port()), TERMINALS="5")
    assert demo.stdout is not None

    with demo:
        message = [next(line for line in demo.stdout if "TMS is ready" in line), next(demo.stdout)]
        children = psutil.Process(demo.pid).children(recursive=True)
        readable = [path.name for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077]
        _, second = start(tmp_path, PORT=str(free_port())).communicate(timeout=DEADLINE_S)
        demo.send_signal(signal.SIGINT)
        message += demo.communicate(timeout=DEADLINE_S)

    assert demo.returncode == 0
    assert "demo / " in message[1]
    assert f"TMS already runs there at {message[0].split()[-1]};" in second
    assert len(second.splitlines()) == 1
    assert len(children) == 2
    assert readable == []
    assert not any(child.is_running() for child in children)
    assert "Traceback" not in "".join(message)


def test_a_killed_demo_ends_its_terminals(tmp_path):
    template_db.copy_file(tmp_path)  # migrating takes most of the time, and is tested above
    demo = start(tmp_path, PORT=str(free_port()), TERMINALS="2")
    assert demo.stdout is not None

    with demo:
        next(line for line in demo.stdout if "TMS is ready" in line)
        children = psutil.Process(demo.pid).children(recursive=True)
        demo.kill()
        _, alive = psutil.wait_procs(children, timeout=DEADLINE_S)

    assert not alive


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("PORT", "99999", "a whole number from 1 to 65535"),
        ("HOST", "my house", "an IPv4 address of this machine, or 0.0.0.0"),
        ("TERMINALS", "many", "a whole number from 0 to 5000"),
    ],
)
def test_an_impossible_option_is_refused_before_anything_starts(option, value, expected, monkeypatch):
    monkeypatch.setenv(option, value)

    with pytest.raises(CommandError, match=f"{option}='{value}': expected {expected}"):
        call_command("demo")


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"TMS_HEARTBEAT_S": "soon"}, "TMS_HEARTBEAT_S='soon': expected a number"),
        ({"TMS_DATA_DIR": "/proc/nowhere"}, "name a directory that can be written"),
    ],
)
def test_an_impossible_setting_is_a_one_line_error(tmp_path, env, says):
    demo = start(tmp_path, **env)

    _, error = demo.communicate(timeout=DEADLINE_S)

    assert demo.returncode != 0
    assert says in error
    assert len(error.strip().splitlines()) == 1, error


def test_a_port_in_use_is_a_one_line_error(tmp_path):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        demo = start(tmp_path, PORT=str(port), TERMINALS="0")
        output, error = demo.communicate(timeout=DEADLINE_S)

    assert demo.returncode != 0
    assert error.strip() == f"CommandError: port {port} is in use; choose another: PORT=8001 make run"
    assert "Preparing" not in output
