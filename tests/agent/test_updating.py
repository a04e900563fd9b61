"""Updates: only what a trusted key has signed, as a whole, once, and undone if it does not reach TMS."""

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.agent.recorded_answers import Recorded
from tests.support.polling import DEADLINE_S, wait_for_value_async
from tms_agent.connection.network import Network
from tms_agent.log import Log
from tms_agent.protocol.downlink import UpdateCall
from tms_agent.protocol.frames import ManifestSignature, UpdateFrame
from tms_agent.requests import RequestRefused
from tms_agent.updating import finished
from tms_agent.updating.download import Place
from tms_agent.updating.manifest import Manifest, Present
from tms_agent.updating.programs import Programs
from tms_agent.updating.updater import Updater, UpdateSettings

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
CONTENT = bytes(range(256)) * 4_000
AT = datetime(2026, 12, 1, tzinfo=UTC)


class Store:
    """A web server with one file, which cuts connections and lies as a test asks."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.cuts: list[int] = []
        """How many bytes the next answers send before they end."""
        self.ignores_ranges = False
        self.statuses: list[int] = []
        self.requests: list[dict[str, str]] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                store.answer(self)

            def log_message(self, *_: object) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """The client went away: it says so itself."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.link_url = f"ws://127.0.0.1:{self._server.server_address[1]}/ws/terminal/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(dict(request.headers))
        status = self.statuses.pop(0) if self.statuses else 200
        begin = 0 if self.ignores_ranges else int(request.headers.get("Range", "bytes=0-")[6:-1])
        body = self.content[begin:]
        if status == 200 and begin:
            status = 206
        request.send_response(status)
        if status == 206:
            request.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        cut = self.cuts.pop(0) if self.cuts else len(body)
        request.wfile.write(body[:cut])
        request.close_connection = True


class Installer:
    """Notes what it is asked for."""

    restart_command = ("reboot",)

    def __init__(self) -> None:
        self.installed: list[tuple[str, int]] = []
        self.did: list[str] = []
        self.reason = ""
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def install(self, file: Path, manifest: Manifest) -> None:
        self.installed.append((manifest.version, file.stat().st_size))
        self.begun.set()
        await self.gate.wait()
        if self.reason:
            raise RequestRefused(self.reason)

    async def confirm(self) -> None:
        self.did.append("confirm")
        self.ended.set()

    async def roll_back(self) -> None:
        self.did.append("roll back")
        self.ended.set()


class Terminal:
    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self.installer, self.recorded = Installer(), Recorded()
        self.goodbyes: asyncio.Queue[Any] = asyncio.Queue()
        self.may_begin: tuple[str, ...] = ()
        self.start()

    def start(self, confirm_within_s: float = 600) -> None:
        self.updater = Updater(
            UpdateSettings(
                self.folder,
                {"release": KEY.public_key().public_bytes_raw()},
                {"swu": self.installer},
                confirm_within_s,
                self.may_begin,
            ),
            Place(self.store.link_url, "Bearer T-1.secret", Network(), lambda: 0.0),
            present=lambda name: Present("KX-21", "4.8.2" if name == "kiosk" else ""),
            now=lambda: AT,
            answers=self.recorded,
            on_goodbye=self.goodbyes.put_nowait,
            log=Log("T-1"),
        )
        self.updater.resume()

    def restart(self, confirm_within_s: float = 600) -> None:
        self.updater.cancel()
        self.start(confirm_within_s)

    def left(self) -> set[str]:
        """The files in its folder, but for the record of what is over."""
        found = self.folder.iterdir() if self.folder.exists() else ()
        return {path.name for path in found} - {finished.FILE}

    def send(self, call: UpdateCall) -> None:
        self.updater.start(call)

    async def outcome(self, call: UpdateCall) -> Any:
        self.send(call)
        _, answer = await self.recorded.next()
        return answer


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


@pytest.fixture
async def terminal(tmp_path, store):
    made = Terminal(tmp_path / "updates", store)
    yield made
    made.updater.cancel()


def update(
    *,
    key: Ed25519PrivateKey = KEY,
    change: Callable[[str], str] = str,
    signatures: tuple[ManifestSignature, ...] | None = None,
    max_bytes_s: float | None = None,
    within_s: float = 60,
    **changes: Any,
) -> UpdateCall:
    """An update of CONTENT. `change` is made after signing."""
    facts = {
        "name": "kiosk", "models": ["KX-21"], "version": "4.8.3", "format": "swu", "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(), "expires": "2027-01-01T00:00:00Z",
    }  # fmt: skip
    text = json.dumps(facts | changes)
    signed = (ManifestSignature("release", base64.b64encode(key.sign(text.encode())).decode()),)
    given = signed if signatures is None else signatures
    deadline = AT + timedelta(seconds=within_s)
    return UpdateCall("u1", UpdateFrame(change(text), given, "/download/1", deadline, max_bytes_s))


async def test_an_update_is_downloaded_installed_and_confirmed_by_the_next_link(terminal, store):
    answer = await terminal.outcome(update())
    goodbye, restart = await terminal.goodbyes.get(), terminal.updater.restart_command
    terminal.restart()
    terminal.updater.link_booted()
    await wait_for_value_async(terminal.left, set())

    assert answer == {"version": "4.8.3", "back_at": "2026-12-01T00:05:00Z"}
    assert goodbye.reason == "update"
    assert restart == ("reboot",)
    assert terminal.installer.installed == [("4.8.3", len(CONTENT))]
    assert terminal.installer.did == ["confirm"]
    assert store.requests[0]["Authorization"] == "Bearer T-1.secret"


async def test_an_update_that_does_not_reach_tms_is_rolled_back_once(terminal):
    await terminal.outcome(update())
    terminal.restart(confirm_within_s=0.01)
    async with asyncio.timeout(DEADLINE_S):
        await terminal.installer.ended.wait()
    terminal.restart()
    terminal.updater.link_booted()

    assert terminal.installer.did == ["roll back"]


async def test_a_download_goes_on_where_connections_and_the_power_were_cut(terminal, store):
    store.cuts = [100_000, 5, 300_000]
    store.statuses = [200, 206, 503, 206]
    store.content = CONTENT
    terminal.installer.gate.clear()

    terminal.send(update())
    async with asyncio.timeout(DEADLINE_S):
        await terminal.installer.begun.wait()
    terminal.restart()  # in the middle of the installation
    terminal.installer.gate.set()
    request_id, answer = await terminal.recorded.next()

    begun = [request.get("Range", "bytes=0-") for request in store.requests]
    assert (request_id, answer["version"]) == ("u1", "4.8.3")
    assert begun[0] == "bytes=0-"
    assert all(later != "bytes=0-" for later in begun[1:])
    assert {size for _, size in terminal.installer.installed} == {len(CONTENT)}


async def test_a_server_that_ignores_ranges_sends_all_again(terminal, store):
    store.cuts, store.ignores_ranges = [100_000], True

    answer = await terminal.outcome(update())

    assert answer["version"] == "4.8.3"
    assert terminal.installer.installed == [("4.8.3", len(CONTENT))]


NOT_SIGNED = "signed by release; this terminal trusts release"
ATTACKS = [
    ({"key": STRANGER}, NOT_SIGNED),
    ({"change": lambda text: text.replace("4.8.3", "4.8.4")}, NOT_SIGNED),
    ({"signatures": ()}, "signed by nobody; this terminal trusts release"),
    ({"signatures": (ManifestSignature("mine", "c2k="),)}, "signed by mine; this terminal trusts release"),
    ({"signatures": (ManifestSignature("release", "!"),)}, NOT_SIGNED),
    ({"models": ["PX-300"]}, "it is for the model PX-300; this is KX-21"),
    ({"models": []}, "the manifest must name 1 to 16 models"),
    ({"models": ["KX-21"] * 17}, "the manifest must name 1 to 16 models"),
    ({"models": "KX-21"}, "the manifest cannot be read: Expected `array`, got `str` at $.models"),
    ({"replaces_from": "4.8.3-rc1"}, "it may replace 4.8.3-rc1 and later versions; this terminal has 4.8.2"),
    ({"replaces_below": "4.8.2"}, "it may replace versions before 4.8.2; this terminal has 4.8.2"),
    ({"replaces_from": "4.7", "name": "tms-agent"}, "this terminal does not know which one it has"),
    ({"format": "raucb"}, "format raucb; this terminal installs swu"),
    ({"expires": "2026-11-30T00:00:00Z"}, "the manifest expired at 2026-11-30 00:00 UTC"),
    ({"version": "../../etc"}, "the manifest has a version with other characters"),
    ({"size": -1}, "the manifest has an impossible size"),
    ({"size": 10**16}, "the manifest has an impossible size"),
    ({"size": "1"}, "the manifest cannot be read: Expected `int`, got `str` at $.size"),
    ({"name": "x" * 9_000}, "the manifest is larger than 8000 bytes"),
    ({"size": 10**14}, "bytes are free; the update needs"),
    ({"sha256": "0" * 64}, "the file has another SHA-256 than its manifest says"),
    ({"size": len(CONTENT) - 1}, "the file is larger than its manifest says"),
]


@pytest.mark.parametrize(("changes", "reason"), ATTACKS)
async def test_an_attack_is_refused_with_its_reason(terminal, changes, reason, monkeypatch):
    monkeypatch.setattr("tms_agent.updating.manifest.MAX_BYTES", 10**15)
    answer = await terminal.outcome(update(**changes))

    assert reason in answer
    assert terminal.installer.installed == []
    assert terminal.left() == set()


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda store, installer: store.statuses.append(404), "the download answered 404"),
        (lambda store, installer: setattr(installer, "reason", "the slot is busy"), "the slot is busy"),
        (lambda store, installer: store.statuses.extend([503] * 10_000), "not installed by its deadline"),
        (lambda store, installer: installer.gate.clear(), "not installed by its deadline"),
    ],
)
async def test_what_cannot_be_done_is_said_in_time(terminal, store, prepare, reason):
    prepare(store, terminal.installer)

    assert reason in await terminal.outcome(update(within_s=0.3))


async def test_a_second_update_waits(terminal):
    terminal.installer.gate.clear()
    terminal.send(update())

    terminal.send(update(version="4.8.4"))

    assert (await terminal.recorded.next())[1] == "another update is under way"


async def test_an_update_that_comes_again_is_answered_and_not_installed_twice(terminal):
    first = await terminal.outcome(update())
    terminal.restart()
    terminal.updater.link_booted()
    await wait_for_value_async(terminal.left, set())

    again = await terminal.outcome(update())

    assert again == first
    assert terminal.installer.installed == [("4.8.3", len(CONTENT))]


async def test_a_terminal_in_use_says_not_now_and_keeps_what_it_downloaded(terminal, store, tmp_path):
    begins = tmp_path / "begins"
    terminal.may_begin = ("sh", "-c", f"echo >> {begins}; test $(wc -l < {begins}) -ne 2 || {{ echo paying; exit 1; }}")
    terminal.restart()

    answers = [await terminal.outcome(update()), await terminal.outcome(update())]

    assert answers[0] == "not now: in use: sh ended with 1: paying"
    assert answers[1]["version"] == "4.8.3"
    assert len(store.requests) == 1
    assert len(terminal.installer.installed) == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("sh", "-c", "test -s {path} && test {version} = 4.8.3"), ""),
        (("sh", "-c", "echo the slot is busy; exit 3"), "sh ended with 3: the slot is busy"),
        (("no-such-updater",), "no-such-updater: No such file or directory"),
        (("sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' 'x'; exit 1"), "sh ended with 1: xxx"),
    ],
)
async def test_a_program_installs_and_its_reason_is_passed_on(tmp_path, command, said):
    (tmp_path / "file").write_bytes(b"x")
    manifest = Manifest("kiosk", "KX-21", "4.8.3", "swu", 1, "0" * 64, AT)
    reason = ""
    try:
        await Programs(command).install(tmp_path / "file", manifest)
    except RequestRefused as refused:
        reason = str(refused)

    assert reason.startswith(said)
    assert bool(reason) is bool(said)
    assert len(reason) < 400
