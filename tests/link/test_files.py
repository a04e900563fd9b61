"""Files that terminals upload to a running TMS: a network that breaks, and clients that mean harm."""

import asyncio
import hashlib
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.link.cutter import Cutter
from tests.support.link.raw_client import HOST
from tests.support.link.terminal import Terminal
from tests.support.polling import DEADLINE_S, wait_for_value_async
from tms_agent.agent import Agent
from tms_agent.connection.backoff import Backoff
from tms_agent.device.source import CommandOutcome, CommandRun, DeviceIdentity, DeviceSample, FileToSend
from tms_agent.options import Options
from tms_agent.protocol import credential as credentials
from tms_agent.protocol import frames

pytestmark = [pytest.mark.both, pytest.mark.embedded]

MEGABYTES = 50
QUEUE = """
import sys, django
django.setup()
from django.utils import timezone
from tms.commands import services
from tms.fleet.models import Terminal
terminal = Terminal.objects.get(uid=sys.argv[1])
services.queue(terminal, name="logs", args={}, by=None, at=timezone.now(), answer_within_s=float(sys.argv[2]))
"""
FILES = """
SELECT f.state, f.length, f.sha256, f.parts FROM files_terminalfile f JOIN fleet_terminal t ON t.id = f.terminal_id
WHERE t.uid = %s AND f.state <> 'offered'
"""
STATES = """
SELECT c.state FROM commands_command c JOIN fleet_terminal t ON t.id = c.terminal_id WHERE t.uid = %s
"""


class LogSource:
    """A terminal with one log file."""

    identity = DeviceIdentity("S-1", "PX-300", "2.14.1")
    capabilities = ("logs",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def uptime_s(self) -> float:
        return 1.0

    def sample(self) -> DeviceSample:
        return DeviceSample("ok")

    async def handle(self, command: frames.CommandFrame, run: CommandRun) -> CommandOutcome:
        return CommandOutcome({"sent": 1}, files=[FileToSend(self.path)])


def peak_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


async def test_50_mb_arrive_over_a_network_that_breaks_twice(tms, enrol, tmp_path, capsys):
    log = tmp_path / "app.log"
    log.write_bytes(os.urandom(1_000_000) * MEGABYTES)
    key = credentials.parse(enrol())
    peak_before = peak_mib(tms.process.pid)
    async with Cutter(tms.port, after=(17_000_000, 34_000_000)) as network:
        url = f"ws://{HOST}:{network.port}/ws/terminal/"
        options = Options(jitter=lambda: 0.1)
        agent = Agent(url, key, source=LogSource(log), backoff=Backoff(jitter=lambda: 0.0), options=options)
        running = asyncio.create_task(agent.run())
        await wait_for_value_async(lambda: agent.state.is_connected, expected=True)

        await asyncio.to_thread(tms.run_code, QUEUE, key.uid, "600")
        await wait_for_value_async(lambda: tms.query(STATES, key.uid), [("done",)])

        agent.crash()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    grew_mib = peak_mib(tms.process.pid) - peak_before
    with capsys.disabled():
        print(f" 50 MB, {network.cuts} cuts: the peak of the server grew by {grew_mib} MiB", end="")
    [(state, length, sha256, parts)] = tms.query(FILES, key.uid)
    assert (state, length, sha256) == ("complete", MEGABYTES * 1_000_000, hashlib.sha256(log.read_bytes()).hexdigest())
    assert (network.cuts, parts > MEGABYTES * 0.9) == (2, True)
    assert grew_mib < MEGABYTES / 2


async def offered(tms, terminal: Terminal, uid: str) -> str:
    await terminal.boot(capabilities=["logs"])
    await asyncio.to_thread(tms.run_code, QUEUE, uid, "600")
    frame = await terminal.receive()
    return frame["params"]["uploads"][0]["path"]


def head(method: str, path: str, key: str, **headers: str) -> bytes:
    given = {"Host": "tms", "Tus-Resumable": "1.0.0", "Authorization": f"Bearer {key}"} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def ask(tms, request: bytes) -> tuple[int, bytes]:
    """The status and the head of the answer."""
    with socket.create_connection((HOST, tms.port), timeout=DEADLINE_S) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer and (data := connection.recv(65_536)):
            answer += data
    return int(answer.split()[1]), answer


async def test_parallel_bodies_for_one_offset_store_one_of_them(tms, enrol):
    key = enrol()
    uid = key.partition(".")[0]
    async with await Terminal.connect(tms.link, key) as terminal:
        path = await offered(tms, terminal, uid)
        announced = head("POST", path, key, Upload_Length="100000", Upload_Metadata="filetype dGV4dC9wbGFpbg==")
        await asyncio.to_thread(ask, tms, announced)
        fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0", "Content_Length": "1000"}
        body = head("PATCH", path, key, **fields) + b"x" * 1_000

        answers = await asyncio.gather(*(asyncio.to_thread(ask, tms, body) for _ in range(6)))

    assert sorted(status for status, _ in answers) == [204, *[409] * 5]
    assert tms.query(FILES, uid) == [("receiving", 100_000, "", 1)]


async def test_a_body_that_is_too_large_is_refused_before_it_was_sent(tms, enrol):
    key = enrol()
    huge = head("PATCH", "/upload/x", key, Content_Length=str(10**9))
    chunked = head("PATCH", "/upload/x", key, Transfer_Encoding="chunked")
    chunks = b"".join(b"100000\r\n" + b"x" * 2**20 + b"\r\n" for _ in range(25))

    assert (await asyncio.to_thread(ask, tms, huge))[0] == 413
    with suppress(ConnectionError):  # it is closed while the client still sends
        assert (await asyncio.to_thread(ask, tms, chunked + chunks))[0] == 413


async def test_nothing_of_a_body_that_ends_too_early_is_stored(tms, enrol):
    key = enrol()
    uid = key.partition(".")[0]
    async with await Terminal.connect(tms.link, key) as terminal:
        path = await offered(tms, terminal, uid)
        announced = head("POST", path, key, Upload_Length="1000", Upload_Metadata="filetype dGV4dC9wbGFpbg==")
        await asyncio.to_thread(ask, tms, announced)
        fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0", "Content_Length": "1000"}

        with socket.create_connection((HOST, tms.port), timeout=DEADLINE_S) as cut:
            cut.sendall(head("PATCH", path, key, **fields) + b"x" * 999)
            cut.shutdown(socket.SHUT_WR)
            await asyncio.to_thread(cut.recv, 1)

    assert tms.query(FILES, uid) == [("receiving", 1_000, "", 0)]
