"""`tms-agent doctor` and `tms-agent status`: what they say about faults, and that they leave a running agent alone."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.agent.certificates import certificate
from tests.agent.fake_tms import FakeTMS
from tests.agent.running_agent import CREDENTIAL
from tms_agent.__main__ import main
from tms_agent.connection.dates import Dates
from tms_agent.connection.link import TimedOut
from tms_agent.connection.network import Network
from tms_agent.connection.tls import TlsFiles
from tms_agent.doctor import machine
from tms_agent.doctor.findings import Finding, Level
from tms_agent.doctor.network import check_way, finding_of
from tms_agent.service.status import Status, answering, socket_of
from tms_agent.storage.journal import SqliteJournal
from tms_agent.storage.state import AgentPhase, AgentState

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HTML = {"body": b"<h1>Forbidden</h1>", "Content_Type": "text/html"}


@pytest.fixture
def doctor(tms, tmp_path, monkeypatch, capsys) -> Callable:
    """Runs the doctor with this configuration; returns its exit code and what it printed."""
    monkeypatch.setenv("TMS_AGENT_CREDENTIAL", str(CREDENTIAL))
    monkeypatch.setenv("TMS_AGENT_SPOOL", str(tmp_path / "spool"))
    file: Path = tmp_path / "tms-agent.toml"

    async def doctor(text: str = "", *options: str) -> tuple[int, str]:
        file.write_text(text)
        arguments = ["doctor", "--config", str(file), "--url", tms.url, *options]
        code = await asyncio.to_thread(main, arguments)
        return code, capsys.readouterr().out

    return doctor


def way(url: str, network: Network) -> list[Finding]:
    return list(check_way(url, network, CREDENTIAL))


async def test_it_finds_a_machine_in_order_and_leaves_the_running_agent_its_link(tms, start, doctor, tmp_path):
    with closing(SqliteJournal(tmp_path / "spool", "T-1")):
        running = start()
        link = await tms.booted()

        code, said = await doctor()

    assert code == 0
    subjects = [line.split()[1].rstrip(":") for line in said.splitlines()]
    assert subjects[:2] == ["configuration", "connection"]
    assert "ok       credential: TMS accepts that of T-1" in said
    assert "is in use by the running agent" in said
    assert running.agent.state.is_connected
    assert (await tms.link()).boot is None  # the doctor's own, which never booted
    assert link.connection.close_code is None


@pytest.mark.parametrize(
    ("answer", "level", "said"),
    [
        (
            {"status": 401, "problem": "tms:unauthorised"},
            "FAULT",
            "credential: TMS does not accept that of T-1 (401): make",
        ),
        ({"status": 401, **HTML}, "FAULT", "TMS: the server answered 401 Unauthorized; this is not an answer of TMS"),
        ({"status": 403, **HTML}, "FAULT", "ask who runs the proxy or firewall on the way, or check url"),
        ({"status": 404, **HTML}, "FAULT", "TMS: the server answered 404 Not Found; this is not an answer of TMS"),
        ({"status": 407, **HTML}, "FAULT", "TMS: the server answered 407 Proxy Authentication Required"),
        ({"status": 429, "problem": "tms:too-fast", "Retry_After": "60"}, "FAULT", "enrol one of them again"),
        (
            {"status": 503, "problem": "tms:unavailable", "Retry_After": "5"},
            "warning",
            "tries again by itself, after 5 s",
        ),
        ({"status": 503, **HTML}, "FAULT", "TMS: the server answered 503 Service Unavailable"),
    ],
)
async def test_what_answers_instead_of_a_link_is_explained(tms, doctor, answer, level, said):
    tms.refuse(404)  # the request of whoever asks for the date
    tms.refuse(**answer)

    code, printed = await doctor()

    [line] = [line for line in printed.splitlines() if said in line]
    assert line.startswith(level)
    assert code == (level == "FAULT")


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (
            "intervall_s = 5",
            (),
            "FAULT    configuration: {}/tms-agent.toml, line 1, intervall_s: unknown; did you mean",
        ),
        (
            "",
            ("--credential-file", "/none"),
            "FAULT    credential: credential_file /none: No such file or directory; or",
        ),
        ("", ("--url", "ws://no.such.host.invalid/"), "FAULT    name: no.such.host.invalid cannot be resolved: "),
        (
            "[proxy]\nurl = 'http://127.0.0.1:9'",
            (),
            "FAULT    proxy: http://127.0.0.1:9 does not answer: Connection ref",
        ),
        (
            "",
            ("--url", "ws://127.0.0.1:9/"),
            "FAULT    connection: port 9: 127.0.0.1: Connection refused; check the netw",
        ),
        (
            "reboot_command = ['/none']\nallow_reboot = true",
            (),
            "FAULT    reboot: /none is not a program that this user",
        ),
        ("", ("--spool", "/proc/spool"), "FAULT    spool: /proc "),
    ],
)
async def test_a_fault_of_this_machine_is_named_with_what_to_do(doctor, tmp_path, text, options, said):
    code, printed = await doctor(text, *options)

    assert said.format(tmp_path) in printed
    assert code == 1


@pytest.mark.parametrize(
    ("answers", "said"),
    [(b"SSH-2.0-OpenSSH_9.6\r\n", "does not answer as TMS does"), (b"", "does not answer as TMS does")],
)
async def test_garbage_and_silence_are_no_tms(answers, said):
    async def answer(_, writer):
        writer.write(answers)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        found = await asyncio.to_thread(way, url, Network(proxy=""))

    assert found[-1].level is Level.FAULT
    assert said in found[-1].text


async def test_a_proxy_that_wants_another_password_is_told_from_tms(proxy, tms):
    wrong = Network(proxy=proxy.url.replace("//", "//shop:hush@"))

    found = await asyncio.to_thread(way, tms.url, wrong)

    assert [one.text for one in found] == [
        f"{proxy.url} answers",
        "it wants another user and password (407); set proxy.user and proxy.password",
    ]


def test_a_server_that_says_nothing_is_no_other_fault():
    assert finding_of(TimedOut("no answer within 20 s"), "T-1").text.startswith(
        "no answer within 20 s; TMS is overloaded"
    )


@pytest.mark.parametrize(
    ("dates", "ca", "now", "said"),
    [
        ((NOW - DAY, NOW + DAY), "server.pem", NOW, "chain and name are right"),
        ((NOW - DAY, NOW + DAY), "server.pem", datetime(1970, 1, 1, tzinfo=UTC), "dates are unchecked"),
        ((NOW - 2 * DAY, NOW - DAY), "server.pem", NOW, "certificate_expired: by this terminal's clock"),
        ((NOW - DAY, NOW + DAY), None, NOW, "self-signed certificate; check url, and set tls.ca_file"),
        ((NOW - DAY, NOW + DAY), "none.pem", NOW, "none.pem: No such file or directory; correct the file"),
    ],
)
async def test_tls_is_explained(tmp_path, dates, ca, now, said):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate(tmp_path / "server.pem", *dates))
    network = Network(TlsFiles(tmp_path / ca if ca else None), proxy="", dates=Dates(lambda: now))
    async with FakeTMS(context) as tms:
        found = await asyncio.to_thread(way, tms.url, network)

    [tls] = [one for one in found if one.subject == "TLS"]
    assert said in tls.text


def test_a_wrong_clock_is_a_warning():
    assert [one.level for one in machine.check_clock(datetime(1970, 1, 1, tzinfo=UTC))] == [Level.WARNING]
    assert list(machine.check_clock(NOW)) == []


def test_a_damaged_spool_is_found_and_left_alone(tmp_path):
    path = tmp_path / "spool"
    with closing(SqliteJournal(path, "T-1")):
        pass
    intact = list(machine.check_spool(path))
    path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 5000)
    damaged = path.read_bytes()

    found = list(machine.check_spool(path))

    assert [one.text for one in intact] == [f"{path} is intact"]
    assert "is damaged" in found[-1].text
    assert path.read_bytes() == damaged


# Status


async def test_a_running_agent_says_how_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TMS_AGENT_SPOOL", str(tmp_path / "spool"))
    at = datetime(2026, 12, 1, 10, tzinfo=UTC)
    status = Status(waiting=lambda: 3, now=lambda: at)
    command = ["status", "--url", "wss://tms.example"]

    codes = []
    async with answering(socket_of(tmp_path / "spool"), status):
        for state in (
            AgentState(AgentPhase.WAITING, last_error="refused"),
            AgentState(AgentPhase.CONNECTED, session=7),
        ):
            status.changed(state)
            codes.append(await asyncio.to_thread(main, command))
    codes.append(main(command))

    assert codes == [1, 0, 1]
    assert capsys.readouterr().out.splitlines() == [
        "not connected (waiting) since 2026-12-01 10:00:00 UTC",
        "3 reports wait to be acknowledged by TMS",
        "last error, 2026-12-01 10:00:00 UTC: refused",
        "connected since 2026-12-01 10:00:00 UTC, session 7",
        "3 reports wait to be acknowledged by TMS",
        f"no agent answers at {tmp_path}/spool.socket",
    ]
