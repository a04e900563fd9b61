"""Uploads by the agent: what is sent, what is tried again, and what fails the command."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.agent.running_agent import CREDENTIAL
from tms_agent.connection.uploads import Uploader
from tms_agent.device.machine import LogTail, Machine
from tms_agent.device.source import CommandError, CommandRun, FileToSend
from tms_agent.log import Log
from tms_agent.protocol.frames import CommandFrame, UploadOffer

OFFER = UploadOffer("/upload/token", 1_000_000, 100_000, ("text/plain",))


class Answer(NamedTuple):
    """What the fake answers instead of doing its work."""

    status: int
    problem: str = ""
    is_after: bool = False
    """The work is done, but the terminal does not get to know it."""


class FakeReceiver:
    """Receives one file like TMS. `script` has the next answers; None for what TMS would do."""

    def __init__(self) -> None:
        self.script: list[Answer | None] = []
        self.methods: list[str] = []
        self.metadata: dict[str, str] = {}
        self.received = b""
        self.percents: list[int] = []
        self.length = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                receiver.answer(self)

            def do_POST(self) -> None:
                receiver.answer(self)

            def do_PATCH(self) -> None:
                receiver.answer(self)

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"ws://127.0.0.1:{self.server.server_port}/ws/terminal/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request: Any) -> None:
        assert request.headers["Authorization"] == f"Bearer {CREDENTIAL}"
        assert request.path == OFFER.path
        self.methods.append(request.command)
        body = request.rfile.read(int(request.headers["Content-Length"] or 0))
        told = self.script.pop(0) if self.script else None
        if told is None or told.is_after:
            self.work(request, body)
        status, problem = (204, "") if told is None else (told.status, told.problem)
        text = b'{"type": "%s", "detail": "because"}' % problem.encode() if problem else b""
        request.send_response(status)
        request.send_header("Content-Type", "application/problem+json" if problem else "text/html")
        request.send_header("Upload-Offset", str(len(self.received)))
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def work(self, request: Any, body: bytes) -> None:
        if request.command == "POST":
            self.length = int(request.headers["Upload-Length"])
            pairs = (pair.split(" ") for pair in request.headers["Upload-Metadata"].split(","))
            self.metadata = {name: base64.b64decode(value).decode() for name, value in pairs}
        if request.command == "PATCH":
            assert int(request.headers["Upload-Offset"]) == len(self.received)
            assert len(body) <= OFFER.part_bytes
            self.received += body


@pytest.fixture
def receiver() -> Iterator[FakeReceiver]:
    made = FakeReceiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


async def send(receiver: FakeReceiver, path: Path, offer: UploadOffer = OFFER, **options: Any) -> None:
    uploader = Uploader(receiver.url, CREDENTIAL, jitter=lambda: 0.0, log=Log("T-1"))
    await uploader.send(FileToSend(path, **options), offer, receiver.percents.append)


@pytest.fixture
def log(tmp_path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(bytes(range(256)) * 1_000)
    return path


async def test_a_file_is_announced_with_its_checksum_and_sent_in_parts(receiver, log):
    await send(receiver, log)

    assert receiver.received == log.read_bytes()
    assert receiver.methods == ["POST", "PATCH", "PATCH", "PATCH"]
    assert receiver.percents == [39, 78, 100]
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    assert receiver.metadata == {"filename": "app.log", "filetype": "text/plain", "sha256": digest}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(502),
        Answer(403),
        Answer(504, is_after=True),
        Answer(503, "tms:unavailable"),
        Answer(409, "tms:upload-offset"),
    ],
    ids=["proxy", "firewall", "done but not answered", "busy", "offset"],
)
@pytest.mark.parametrize("before", [0, 1, 2])
async def test_what_may_pass_is_tried_again_from_the_offset_of_tms(receiver, log, answer, before):
    receiver.script = [*[None] * before, answer]

    await send(receiver, log)

    assert receiver.received == log.read_bytes()


async def test_a_refusal_of_tms_fails_the_command_with_its_reason(receiver, log):
    receiver.script = [Answer(410, "tms:upload-ended")]

    with pytest.raises(CommandError, match=r"TMS refused the file: because \(tms:upload-ended\)"):
        await send(receiver, log)

    assert receiver.methods == ["POST"]


async def test_the_end_of_a_log_that_is_too_large_is_sent(receiver, log):
    offer = UploadOffer(OFFER.path, 1_000, 100_000, ("text/plain",))

    await send(receiver, log, offer, may_be_cut=True)

    assert receiver.received == log.read_bytes()[-1_000:]
    with pytest.raises(CommandError, match="has 256000 bytes; TMS takes 1000"):
        await send(receiver, log, offer)


async def test_what_is_no_file_of_an_allowed_type_is_not_sent(receiver, log, tmp_path):
    (tmp_path / "empty").touch()

    for path, media_type, reason in (
        (tmp_path / "empty", "text/plain", "is empty"),
        (tmp_path / "missing", "text/plain", "No such file"),
        (log, "image/png", "TMS takes text/plain"),
    ):
        with pytest.raises(CommandError, match=reason):
            await send(receiver, path, media_type=media_type)
    assert receiver.methods == []


def command(name: str) -> CommandFrame:
    return CommandFrame(name, {}, None)  # type: ignore[arg-type]


async def test_a_machine_sends_only_the_logs_that_were_named(log, tmp_path):
    machine = Machine(tail=LogTail(), log_files=[log, tmp_path / "missing"])

    outcome = await machine.handle(command("logs"), CommandRun())

    assert [file.path for file in outcome.files] == [log]
    assert "logs" not in Machine(tail=LogTail()).capabilities
    with pytest.raises(CommandError, match="missing or empty"):
        await Machine(tail=LogTail(), log_files=[tmp_path / "missing"]).handle(command("logs"), CommandRun())


async def test_a_screenshot_is_what_the_command_wrote(tmp_path):
    machine = Machine(tail=LogTail(), screenshot_command=["sh", "-c", "printf picture > {path}"])

    outcome = await machine.handle(command("screenshot"), CommandRun())

    [file] = outcome.files
    assert (file.path.read_bytes(), file.media_type, file.is_temporary) == (b"picture", "image/png", True)
    file.path.unlink()
    with pytest.raises(CommandError, match="false ended with 1"):
        await Machine(tail=LogTail(), screenshot_command=["false", "{path}"]).handle(
            command("screenshot"), CommandRun()
        )
