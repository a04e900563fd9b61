import asyncio
import socket
from datetime import UTC, datetime

import pytest

from tests.agent.running_agent import CREDENTIAL
from tms_agent.connection import dialer
from tms_agent.connection.dialer import Dialer, retry_after
from tms_agent.connection.link import TimedOut, Unreachable
from tms_agent.connection.network import Network

AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        ("120", 120.0),
        ("Wed, 25 Nov 2026 09:31:00 GMT", 60.0),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0.0),
        ("Wed, 25 Nov 2026 09:31:00 -0000", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value, seconds):
    assert retry_after(value, at=AT) == seconds


def test_a_proxy_of_the_environment_is_used_except_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("https_proxy", "http://secure.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")

    proxy_for = Network().proxy_for
    assert proxy_for("ws://tms.example/") == "http://proxy.example:3128"
    assert proxy_for("wss://tms.example/") == "http://secure.example:3128"
    assert proxy_for("wss://inside.example/") is None
    assert proxy_for("ws://127.0.0.1:8000/") is None
    assert proxy_for("ws://[::1]:8000/") is None
    assert proxy_for("ws://localhost:8000/") is None


async def test_after_a_refusal_the_next_address_follows_at_once(tms, monkeypatch):
    resolve(monkeypatch, "127.0.0.9", "127.0.0.1")

    link = await Dialer(named(tms.url), CREDENTIAL).dial()
    link.abort()

    assert len(tms.requests) == 1


async def test_after_no_response_the_next_attempt_uses_the_other_address(tms, monkeypatch):
    resolve(monkeypatch, "127.0.0.2", "127.0.0.1")
    with silent("127.0.0.2", port_of(tms.url)):
        dialing = Dialer(named(tms.url), CREDENTIAL, timeout_s=0.2)
        with pytest.raises(TimedOut) as timed_out:
            await dialing.dial()
        link = await Dialer.dial(dialing)
        link.abort()

    assert not timed_out.value.is_everywhere
    assert len(tms.requests) == 1


async def test_no_response_at_the_last_address_means_none_at_all(monkeypatch):
    resolve(monkeypatch, "127.0.0.2", "127.0.0.3")
    # The first uses the port it is given: a free port could be taken by another worker by now.
    with silent("127.0.0.2", 0) as first, silent("127.0.0.3", first.getsockname()[1]):
        dialing = Dialer(f"ws://tms.example:{first.getsockname()[1]}/", CREDENTIAL, timeout_s=0.05)
        ends = []
        for _ in range(3):
            with pytest.raises(TimedOut) as timed_out:
                await dialing.dial()
            ends.append(timed_out.value.is_everywhere)

    assert ends == [False, True, False]


async def test_an_unknown_host_name_is_reported(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(Unreachable, match=r"the name tms\.example cannot be resolved: Name or service not known"):
        await Dialer("ws://tms.example/", CREDENTIAL).dial()


async def test_a_port_with_another_protocol_is_reported():
    async def greet(_, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(Unreachable, match="does not answer as TMS does"):
            await Dialer(url, CREDENTIAL).dial()


def test_the_agent_sends_its_name_and_version():
    assert dialer.agent_name().startswith("tms-agent")


def resolve(monkeypatch, *addresses: str) -> None:
    """Resolve every name to these addresses."""
    real = socket.getaddrinfo

    def found(host, port, *args, **kwargs):
        if host != "tms.example":
            return real(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def named(url: str) -> str:
    return url.replace("127.0.0.1", "tms.example")


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def silent(address: str, port: int) -> socket.socket:
    """The kernel accepts connections, and no process answers."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    listener.listen()
    return listener
