"""The messages and counts of the load generators."""

import pytest

from benchmarks.load.client_protocol import ClientProtocol, TextbookProtocol, TmsProtocol
from benchmarks.load.span import Span
from benchmarks.load.terminals.reporting import SteadyTally
from benchmarks.load.terminals.terminal import Terminal
from tms.protocol import downlink, frames, uplink

PROTOCOL = TmsProtocol()


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
