"""The servers on libraries for OCPP: their protocol, their installation, and a tiny run of each."""

import base64
import json
from pathlib import Path

import pytest

from benchmarks.peers import installation
from benchmarks.peers.installation import Installation
from benchmarks.peers.ocpp_protocol import OcppProtocol
from benchmarks.peers.peer import Peer
from benchmarks.peers.systems import PEERS
from tests.benchmarks.measuring import measure

PROTOCOL = OcppProtocol()
RETURNS = {"P4 watched", "P4 watched CPU"}
WITHOUT_BOARDS = {"P1", "P2", "P3", "P3 light", "P4", *RETURNS, "P14", "P14 p99", "P14 light", "P14 light p99"}


def test_a_report_is_the_text_of_a_data_transfer():
    kind, call_id, action, payload = json.loads(PROTOCOL.report(7, "degraded", 3, 80))

    text = json.loads(payload["data"])
    assert (kind, call_id, action) == (2, "7", "DataTransfer")
    assert (text["seq"], text["status"], text["metrics"]["link_rtt_ms"]) == (7, "degraded", 3)


def test_a_terminal_sends_its_identifier_in_the_path_and_its_secret_in_a_header():
    headers = PROTOCOL.handshake("BENCH-1")

    scheme, _, basic = headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(basic).startswith(b"BENCH-1:")
    assert PROTOCOL.terminal_path("BENCH-1") == "/ocpp/BENCH-1"


@pytest.mark.parametrize(
    ("message", "acknowledged"),
    [
        (b'[3,"41",{"status":"Accepted"}]', 41),
        (b'[3,"0",{"status":"Accepted","currentTime":"2026-11-27T09:00:00Z","interval":300}]', 0),
        (b'[4,"41","InternalError","",{}]', None),
    ],
)
def test_the_answer_to_a_call_acknowledges_it_and_an_error_does_not(message: bytes, acknowledged: int | None):
    assert PROTOCOL.acknowledged(message) == acknowledged


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(installation, "TOOLS", tmp_path / "tools")
    path = tmp_path / "lock.txt"
    path.write_text("one==1")
    return path


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["true"], ""),
        (["false"], "its packages could not be installed"),
        (["no-such-program"], "no-such-program is not installed"),
    ],
)
def test_a_peer_that_could_not_be_installed_has_a_reason(lock: Path, command: list[str], why: str):
    peer = Installation("peer", (lock,), (command,))

    peer.install()

    assert peer.absence().startswith(why)
    assert bool(peer.absence()) is bool(why)


def test_a_peer_is_installed_once_for_each_version_of_its_lock(lock: Path):
    peer = Installation("peer", (lock,), (["touch", "made"],))
    peer.install()
    (peer.folder / "made").unlink()

    peer.install()
    again = (peer.folder / "made").exists()
    lock.write_text("one==2")
    absence = peer.absence()
    peer.install()

    assert not again
    assert absence.startswith("not installed")
    assert (peer.folder / "made").exists()


@pytest.mark.services
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_run_measures_everything_without_boards_and_loses_nothing(tmp_path: Path, peer: type[Peer]):
    if why := peer.absence():
        pytest.skip(f"{peer.name}: {why}")

    run = measure("benchmarks", tmp_path / "run.json", "--systems", peer.name)

    figures = run.systems[peer.name]
    assert figures.keys() == WITHOUT_BOARDS
    assert {number: figure.missing for number, figure in figures.items() if figure.missing} == {}
    assert run.machine.keys() >= peer.versions().keys()
    for number in ("P2", "P3", "P3 light"):
        assert figures[number].counts["acknowledged reports committed"].expected > 0
