"""What the load generators say and how they count."""

import pytest

from benchmarks.load.board import Changes
from benchmarks.load.dialect import TmsDialect
from benchmarks.load.reporting import SteadyTally
from benchmarks.load.span import Span
from benchmarks.load.terminal import Terminal
from tms.protocol import downlink, frames, uplink

DIALECT = TmsDialect()


def test_the_load_speaks_the_terminal_link():
    (boot,) = uplink.decode(DIALECT.boot("b-1"))
    (report,) = uplink.decode(DIALECT.report(7, "degraded"))

    assert isinstance(boot, uplink.BootCall)
    assert isinstance(report, uplink.ReportCall)
    assert (report.params.seq, report.params.status) == (7, "degraded")


@pytest.mark.parametrize(
    ("frame", "acknowledged"),
    [
        (downlink.ack(41), 41),
        (downlink.encode(downlink.DrainCall(frames.Drain(1, 1))), None),
    ],
)
def test_the_load_understands_what_is_acknowledged(frame: str, acknowledged: int | None):
    assert DIALECT.acknowledged(frame.encode()) == acknowledged


async def test_one_acknowledgement_settles_all_reports_up_to_it():
    terminal = Terminal(DIALECT)
    terminal.reported, terminal.tally = 5, (tally := SteadyTally(Span(0, 10**9)))
    terminal.waiting.extend((3.0, 4.0, 5.0))

    terminal.acknowledge(4)

    assert tally.outcome.acknowledged == 2
    assert list(terminal.waiting) == [5.0]


async def test_a_report_is_timed_from_when_it_was_due_not_from_when_it_was_sent():
    tally = SteadyTally(Span(100, 200))

    tally.acknowledged(Terminal(DIALECT), intended_at=110, at=150)

    assert tally.outcome.latencies == [40]


@pytest.mark.parametrize(
    ("made", "status", "since", "number"),
    [
        (1, "ok", 0, 0),
        (2, "degraded", 0, 1),  # the board skipped the first
        (3, "fault", 2, 2),
        (3, "ok", 1, None),  # what it showed before
        (2, "fault", 2, None),  # not made yet
    ],
)
def test_a_board_is_credited_with_the_first_change_that_its_text_can_mean(
    made: int, status: str, since: int, number: int | None
):
    changes = Changes([0.0] * made)

    assert changes.shown(status, since=since) == number
