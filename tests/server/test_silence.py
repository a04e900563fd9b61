"""Half-open links: a lost peer is distinguished from an idle one."""

from types import SimpleNamespace
from typing import Any, override

import pytest

from tests.support.link.raw_client import RESET
from tms.server import Event, Flow
from tms.server.websocket.handshake import Phase
from tms.server.websocket.socket import WebSocket

INTERVAL, TIMEOUT = 20.0, 15.0


class Link(WebSocket):
    """An open socket without a network."""

    def __init__(self, *, received_at: float) -> None:
        flow = Flow(ping_interval=INTERVAL, ping_timeout=TIMEOUT)
        shared: Any = SimpleNamespace(flow=flow, sockets={})
        transport: Any = SimpleNamespace(resume_reading=lambda: None, abort=lambda: None, is_closing=lambda: True)
        transport.get_write_buffer_size = lambda: 0
        super().__init__(shared, transport)
        self.phase = Phase.OPEN
        self.received_at = received_at
        self.pings = 0
        self.dropped: list[Event] = []

    @override
    def send_ping(self) -> None:
        self.pings += 1

    @override
    def drop(self, why: Event) -> None:
        self.dropped.append(why)


def test_a_link_with_traffic_is_not_pinged():
    link = Link(received_at=100.0)

    assert link.due(110.0) == 120.0
    assert link.pings == 0


def test_a_silent_link_is_pinged_once():
    link = Link(received_at=100.0)

    assert link.due(120.0) == 135.0
    assert link.due(130.0) == 135.0
    assert link.pings == 1


def test_any_byte_after_the_ping_proves_the_link():
    link = Link(received_at=100.0)
    link.due(120.0)
    link.received_at = 121.0

    assert link.due(135.0) == 141.0
    assert (link.dropped, link.silent_s) == ([], 0.0)


def test_a_link_that_stays_silent_is_dropped():
    link = Link(received_at=100.0)
    link.due(120.0)

    assert link.due(135.0) is None
    assert (link.dropped, link.silent_s) == (["ping_timeout"], 35.0)


def test_a_link_with_paused_reading_is_not_dropped_for_silence():
    link = Link(received_at=100.0)
    link.due(120.0)
    link.reading_paused = True

    assert link.due(135.0) is not None
    assert link.dropped == []


def test_a_link_with_resumed_reading_gets_time_to_answer():
    link = Link(received_at=0.0)
    link.reading_paused = True

    link.resume_reading()

    assert link.received_at > 0.0


@pytest.mark.parametrize("phase", [Phase.CLOSING, Phase.CLOSED])
def test_a_closing_link_is_not_checked_again(phase):
    link = Link(received_at=100.0)
    link.phase = phase

    assert link.due(1000.0) is None
    assert (link.pings, link.dropped) == (0, [])


def test_a_client_that_answers_pings_stays(serve):
    server = serve(ping_interval=0.2, ping_timeout=2)
    client = server.connect()

    client.receive_pings(2)

    client.send("still here")
    assert client.receive() == "still here"


def test_a_half_open_link_is_dropped(serve):
    server = serve(ping_interval=0.2, ping_timeout=0.2)
    client = server.connect()

    assert client.receive(pong=False) == RESET
    assert server.emptied()["counters"]["ping_timeout"] == 1
