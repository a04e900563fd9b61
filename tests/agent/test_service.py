"""The agent as a service of systemd."""

import asyncio
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.agent.running_agent import CREDENTIAL
from tms_agent.__main__ import main
from tms_agent.service import install, unit
from tms_agent.service.notify import Systemd
from tms_agent.service.unit import Program

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze")


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / unit.NAME
    path.write_text(unit.unit(Program(Path("/bin/true"), Path("/etc/tms-agent/a b.toml"), Path("/etc/tms-agent/100%"))))
    return path


@needs_systemd
def test_systemd_understands_the_unit_and_rates_it_three_or_less(file):
    verified = subprocess.run([ANALYZE, "verify", file], capture_output=True, text=True, check=False)
    security = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--threshold=30", file], capture_output=True, text=True, check=False
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert security.returncode == 0, security.stdout[-200:]


def test_paths_are_quoted_for_systemd(file):
    text = file.read_text()

    assert "run --config '/etc/tms-agent/a b.toml' --credential-file ${CREDENTIALS_DIRECTORY}/credential\n" in text
    assert "LoadCredential=credential:/etc/tms-agent/100%%\n" in text


@pytest.fixture
def configured(tmp_path, monkeypatch) -> Callable[[str], int]:
    """Runs `tms-agent install --print` with this configuration."""
    monkeypatch.setattr(install, "HOMES", ())

    def run(text: str) -> int:
        (tmp_path / "tms-agent.toml").write_text(text)
        return main(["install", "--print", "--config", str(tmp_path / "tms-agent.toml")])

    return run


def test_the_unit_is_printed(configured, capsys, tmp_path):
    status = configured("url = 'https://tms.example'\ncredential_file = 'credential'")

    assert status == 0
    assert f"LoadCredential=credential:{tmp_path}/credential" in capsys.readouterr().out


def test_a_service_that_could_not_start_is_refused(configured, monkeypatch, capsys):
    codes = [configured("url = 'https://tms.example'")]
    monkeypatch.setattr(install, "HOMES", (Path("/"),))
    codes.append(configured("url = 'https://tms.example'\ncredential_file = 'credential'"))

    said = capsys.readouterr().err
    assert codes == [2, 2]
    assert "no credential_file: the service reads the credential from a file; tms-agent enrol makes one" in said
    assert "is in a home folder, which a service cannot read" in said


def test_the_service_is_written_enabled_and_started(tmp_path, monkeypatch):
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ran\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    install.install("a unit", tmp_path)

    assert (tmp_path / unit.NAME).read_text() == "a unit"
    ran = (tmp_path / "ran").read_text().splitlines()
    assert ran == ["daemon-reload", "enable tms-agent.service", "restart tms-agent.service"]


# Notifications


@pytest.fixture
def manager(tmp_path, monkeypatch) -> Iterator[socket.socket]:
    """The socket of a service manager."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield channel


async def test_systemd_hears_that_the_agent_is_ready_alive_and_stopping(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "20000")

    async with Systemd().watching():
        heard = [await asyncio.to_thread(manager.recv, 100) for _ in range(3)]
    manager.settimeout(0)
    heard += iter(lambda: manager.recv(100), b"STOPPING=1")

    assert heard[0] == b"READY=1"
    assert set(heard[1:]) == {b"WATCHDOG=1"}


async def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setenv("WATCHDOG_PID", "1")

    async with Systemd().watching():
        pass

    assert not Systemd().is_there


async def test_a_service_whose_credential_is_refused_keeps_trying(tms, tmp_path, manager, monkeypatch):
    tms.reject_credential(Retry_After="0")
    monkeypatch.setenv("TMS_AGENT_CREDENTIAL", str(CREDENTIAL))
    command = ["-m", "tms_agent", "--url", tms.url, "--spool", str(tmp_path / "spool")]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=subprocess.DEVNULL)

    try:
        await tms.booted()
    finally:
        process.terminate()
        await process.wait()

    manager.settimeout(0)
    heard = [text.decode() for text in iter(lambda: manager.recv(200), b"STOPPING=1")]
    assert any(re.match(r"STATUS=connected since \d{4}-", text) for text in heard)
