"""`tms-agent enrol` against a server that answers as TMS does, or in another way."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent.enrolment_server import EnrolmentServer, enrolment_server
from tests.agent.running_agent import CREDENTIAL
from tms_agent import arguments
from tms_agent.__main__ import main

REFUSED = (
    403,
    "application/problem+json",
    {"type": "tms:token-refused", "detail": "it is used", "where": "$.x"},
)


@pytest.fixture
def server() -> Iterator[EnrolmentServer]:
    with enrolment_server() as server:
        yield server


@pytest.fixture
def enrol(server, tmp_path, monkeypatch) -> Callable[..., int]:
    monkeypatch.setenv("TMS_AGENT_CONFIG", str(tmp_path / "etc" / "tms-agent.toml"))
    return lambda *options: main(["enrol", "--url", server.url, "--token", "once", *options])


def file(tmp_path: Path, name: str) -> Path:
    return tmp_path / "etc" / name


def test_the_credential_is_stored_for_this_user_and_the_agent_can_start(server, enrol, tmp_path, capsys):
    status = enrol("--kind", "gate", "--serial", 'S "1"')

    said = capsys.readouterr()
    read = arguments.parse([])
    assert status == 0
    assert server.asked == [("/api/v1/enrol", {"token": "once", "kind": "gate", "serial": 'S "1"'})]
    assert file(tmp_path, "credential").stat().st_mode & 0o777 == 0o600
    assert (read.url, read.credential()) == (server.url.replace("http", "ws") + "/ws/terminal/", CREDENTIAL)
    assert read.identity["serial"].text == 'S "1"'
    assert CREDENTIAL.secret not in said.out + said.err
    assert "enrolled as T-1" in said.out


def test_what_the_configuration_says_of_the_machine_is_sent(server, enrol, tmp_path):
    file(tmp_path, "").mkdir()
    config = "[identity]\nserial = 'S-1'\nmodel = 'Till 4'\n"
    file(tmp_path, "tms-agent.toml").write_text(config)

    enrol("--site", "SJK")

    assert server.asked[0][1] == {"token": "once", "site": "SJK", "serial": "S-1", "model": "Till 4"}
    assert file(tmp_path, "tms-agent.toml").read_text() == config


def test_a_machine_that_is_enrolled_keeps_its_credential_and_the_token_its_use(server, enrol, tmp_path, capsys):
    enrol()

    assert enrol() == 2
    assert "credential exists: this machine is enrolled as T-1; to enrol again, delete it" in capsys.readouterr().err
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (REFUSED, "TMS refused: it is used ($.x)"),
        (
            (503, "text/html", b"<h1>later</h1>"),
            "127.0.0.1 answered 503 Service Unavailable; this is not",
        ),
        ((403, "application/problem+json", b"{"), "127.0.0.1 answered 403 Forbidden; this is not an answer of TMS"),
        ((201, "application/json", b"[]"), "127.0.0.1 does not answer as TMS does; check --url"),
        ((201, "application/json", {"credential": "T-1.short"}), "127.0.0.1 does not answer as TMS does; check --url"),
    ],
)
def test_a_refusal_is_explained_and_leaves_nothing_behind(server, enrol, tmp_path, capsys, answer, message):
    server.answer = answer

    assert enrol() == 1
    assert f"tms-agent: not enrolled: {message}" in capsys.readouterr().err
    assert list(file(tmp_path, "").iterdir()) == []


def test_a_server_that_cannot_be_reached_is_named(enrol, capsys):
    assert enrol("--url", "http://127.0.0.1:9") == 1
    assert "not enrolled: cannot reach 127.0.0.1: Connection refused" in capsys.readouterr().err
