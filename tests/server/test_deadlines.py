"""HTTP connections without a complete request are closed, however slowly they send; WebSockets and responses stay."""

import select
from collections.abc import Callable

import pytest

from tests.server.process import ServerProcess
from tests.support.link.raw_client import Client, upgrade
from tms.server.deadlines import Deadlines
from tms.server.flow import Flow

BODY = b"POST /facts HTTP/1.1\r\nHost: tms\r\nContent-Length: 1000\r\n\r\nabc"
WHOLE = b"GET /facts HTTP/1.1\r\nHost: tms\r\n\r\n"


def is_over(client: Client) -> bool:
    """Whether the server closed the connection."""
    try:
        while client.socket.recv(65_536):
            pass
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize(
    "sent", [b"", b"GET", b"GET /facts HTTP/1.1\r\nHost: tms\r\n", BODY], ids=["silent", "line", "headers", "body"]
)
def test_a_connection_without_a_complete_request_is_closed(serve: Callable[..., ServerProcess], sent: bytes):
    server = serve(request_timeout=0.3, keep_alive=60)
    client = server.dial(sent) if sent else server.dial()

    assert is_over(client)
    server.wait_for(lambda facts: facts["counters"].get("request_timeout", 0) == 1)


@pytest.mark.parametrize("sent", [b"GET /", BODY], ids=["line", "body"])
def test_one_that_sends_byte_by_byte_is_closed_too(serve: Callable[..., ServerProcess], sent: bytes):
    server = serve(request_timeout=0.5, keep_alive=60)
    client = server.dial(sent)

    assert ends_while_it_sends(client)


def ends_while_it_sends(client: Client, bytes_sent: int = 1_000) -> bool:
    """Whether the server ends the connection of a client that sends a byte after each 20 ms without a response."""
    try:
        for _ in range(bytes_sent):
            client.send_raw(b"x")
            if select.select([client.socket], [], [], 0.02)[0] and not client.socket.recv(65_536):
                return True
    except ConnectionError:
        return True
    return False


def test_an_idle_connection_stays_open_for_a_while_after_a_response(serve: Callable[..., ServerProcess]):
    server = serve(request_timeout=60, keep_alive=1)
    client = server.dial(WHOLE)

    assert is_over(client)


def test_a_client_that_waits_for_a_response_or_has_a_socket_is_not_closed(serve: Callable[..., ServerProcess]):
    server = serve(request_timeout=0.3, keep_alive=0.3, handshake_timeout=20)
    link = server.connect()
    waiting = server.dial(upgrade("/hang"))
    idle = server.dial()

    assert is_over(idle)
    asking = server.dial()
    server.open_gate(asking)
    waiting.read_head()

    assert (link.status, waiting.status) == (101, 101)
    assert server.facts()["sockets"] == 2


def test_deadlines_restart_with_each_request_of_a_connection():
    deadlines, seen = Deadlines(Flow(request_timeout=30, keep_alive=75)), []
    steps = [
        lambda: deadlines.connected("a", 0.0),
        lambda: deadlines.began("a", 20.0),  # no new deadline for a slow start
        lambda: deadlines.complete("a"),
        lambda: deadlines.complete("a"),  # pipelined
        lambda: deadlines.answered("a", 40.0),
        lambda: deadlines.answered("a", 50.0),
        lambda: deadlines.began("a", 60.0),
        lambda: deadlines.discard("a"),
    ]

    for step in steps:
        step()
        seen.append(deadlines.until.get("a"))

    assert seen == [30, 30, None, None, None, 125, 90, None]
    assert not deadlines.answering
