"""The messages and counts of the load generators."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from socket import socket
from typing import cast

import pytest
import websockets
from picows import WSFrame, WSInvalidStatusError, WSMsgType, WSTransport, WSUpgradeResponse
from websockets.asyncio.server import ServerConnection
from websockets.typing import Subprotocol

from benchmarks.load.client_protocol import ClientProtocol, TextbookProtocol, TmsProtocol
from benchmarks.load.commands import KeepConnected
from benchmarks.load.span import Span
from benchmarks.load.terminals.dialling import call_any
from benchmarks.load.terminals.keeping import ConnectedTerminals, link_end
from benchmarks.load.terminals.reconnect import Phase
from benchmarks.load.terminals.reporting import SteadyTally
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.systems.address import Address
from tms.protocol import SUBPROTOCOL, downlink, frames, uplink
from tms_agent.connection.backoff import Backoff

PROTOCOL = TmsProtocol()
AT = datetime(2026, 11, 28, tzinfo=UTC)
LIMITS = frames.Limits(frames_per_minute=60, frames_burst=60)


def full(*, retry_after: str) -> WSInvalidStatusError:
    """The answer of a process that is full."""
    response = WSUpgradeResponse.create_error_response(503, extra_headers={"Retry-After": retry_after})
    return WSInvalidStatusError("503", response=response)


def test_the_load_uses_the_protocol_of_the_terminal_link():
    (boot,) = uplink.decode(PROTOCOL.boot("b-1"))
    (report,) = uplink.decode(PROTOCOL.report(7, "degraded", 3, 80))

    assert isinstance(boot, uplink.BootCall)
    assert isinstance(report, uplink.ReportCall)
    assert (report.params.seq, report.params.status) == (7, "degraded")


@pytest.mark.parametrize(
    ("frame", "acknowledged"),
    [
        (downlink.ack(41), 41),
        (downlink.encode(downlink.DrainCall(frames.DrainFrame(1, 1))), None),
    ],
)
def test_the_load_counts_acknowledgements(frame: str, acknowledged: int | None):
    assert PROTOCOL.acknowledged(frame.encode()) == acknowledged


async def test_one_acknowledgement_covers_all_reports_up_to_it():
    terminal = Terminal(PROTOCOL)
    terminal.reported, terminal.tally = 5, (tally := SteadyTally(Span(0, 10**9)))
    terminal.waiting.extend((3.0, 4.0, 5.0))

    terminal.acknowledge(4)

    assert tally.outcome.acknowledged == 2
    assert list(terminal.waiting) == [5.0]


async def test_a_report_is_timed_from_its_planned_time():
    tally = SteadyTally(Span(100, 200))

    tally.acknowledged(Terminal(PROTOCOL), intended_at=110, at=150)

    assert tally.outcome.latencies == [40]


@pytest.mark.parametrize(
    ("client_protocol", "message", "number"),
    [
        (PROTOCOL, rb'{"html":"<tr id=\"terminal-1\" data-row><td>9 %</td><td class=\"number\">17 ms</td></tr>"}', 17),
        (PROTOCOL, rb'{"html":"<tr id=\"terminal-1\" data-row><td class=\"number\">1,017 ms</td></tr>"}', 1017),
        (PROTOCOL, rb'{"html":"<tr id=\"terminal-12\" data-row><td class=\"number\">17 ms</td></tr>"}', None),
        (PROTOCOL, rb'{"html":"<tr id=\"terminal-1\" data-row></tr><tr id=\"terminal-2\"><td>17 ms</td></tr>"}', None),
        (TextbookProtocol(), b'{"type":"terminal.changed","uid":"AAA-PROBE","metrics":{"link_rtt_ms":17.0}}', 17),
        (TextbookProtocol(), b'{"type":"terminal.changed","uid":"BENCH-000001","metrics":{"link_rtt_ms":17.0}}', None),
    ],
)
def test_a_board_returns_the_number_of_the_change_that_it_shows(
    client_protocol: ClientProtocol, message: bytes, number: int | None
):
    assert client_protocol.probe_number(message) == number


class FakeTransport:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, _kind: WSMsgType, message: bytes) -> None:
        self.sent.append(message)


@dataclass
class FakeFrame:
    payload: bytes
    msg_type: WSMsgType = WSMsgType.TEXT

    def get_payload_as_bytes(self) -> bytes:
        return self.payload


BOOTED = downlink.encode(
    downlink.BootAnswer(1, frames.BootResult(session=1, heartbeat_s=30, server_time=AT, acked_seq=0, limits=LIMITS))
)


async def test_reports_wait_for_the_answer_to_the_boot_and_are_sent_in_order():
    terminal, transport = Terminal(PROTOCOL, "T-1"), FakeTransport()
    terminal.report(1.0)

    terminal.on_ws_connected(cast(WSTransport, transport))
    terminal.report(2.0)
    before = len(transport.sent)
    terminal.on_ws_frame(cast(WSTransport, transport), cast(WSFrame, FakeFrame(BOOTED.encode())))

    assert before == 1
    sent = [frame for message in transport.sent for frame in uplink.decode(message)]
    assert [frame.params.seq for frame in sent if isinstance(frame, uplink.ReportCall)] == [1, 2]


class Server:
    """Answers boots once `answer` is set."""

    def __init__(self) -> None:
        self.received, self.answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, connection: ServerConnection) -> None:
        await connection.recv()
        self.received.set()
        await self.answer.wait()
        await connection.send(BOOTED)
        await connection.wait_closed()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        async with websockets.serve(self, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as server:
            yield port_of(server.sockets)


def port_of(sockets: Iterable[socket]) -> int:
    return int(next(iter(sockets)).getsockname()[1])


async def test_a_terminal_is_back_once_its_boot_is_answered():
    server = Server()
    async with server.listening() as port:
        connected = ConnectedTerminals(
            Address(PROTOCOL, "127.0.0.1", (port,), "", ""),
            KeepConnected(3600, 1, "127.0.0.1"),
            new_backoff=lambda: Backoff(jitter=lambda: 0.0),
        )
        connected.adopt([Terminal(PROTOCOL, "T-1")])
        await server.received.wait()
        unanswered = connected.read_counts()
        server.answer.set()
        while not (answered := connected.read_counts()).returned:
            await asyncio.sleep(0)
        await connected.close()
        for terminal in connected.terminals:
            terminal.drop()

    assert (unanswered.online, unanswered.pending, unanswered.returned) == (0, {Phase.BOOT: 1}, [])
    assert (answered.online, answered.pending) == (1, {})
    assert answered.returned[0].seconds.keys() == set(Phase)


async def test_a_process_that_closes_the_connection_during_the_handshake_is_skipped():
    server, terminal = Server(), Terminal(PROTOCOL, "T-1")
    server.answer.set()
    async with (
        await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0) as dying,
        server.listening() as port,
    ):
        address = Address(PROTOCOL, "127.0.0.1", (port_of(dying.sockets), port), "", "")
        skipped = await call_any(address, terminal, "127.0.0.1", range(2))
        terminal.drop()

    assert [type(error) for error in skipped] == [ConnectionResetError]


@pytest.mark.parametrize(
    ("error", "shortest_s", "longest_s"),
    [
        (ConnectionRefusedError(), 0.0, 1.0),
        (TimeoutError(), 0.0, 60.0),
        (full(retry_after="10"), 10.0, 11.0),
    ],
)
def test_terminals_of_the_load_wait_as_long_as_agents(error: Exception, shortest_s: float, longest_s: float):
    waits = [Backoff(jitter=lambda part=part: part).after(link_end(error)) for part in (0.0, 1.0)]

    assert waits == [shortest_s, longest_s]
