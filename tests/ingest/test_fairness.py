"""The shares of terminals in a flush, and the pace of their backfill."""

from collections.abc import Sequence

import msgspec
import pytest

from tests.support.builders import AT, Link
from tms.fleet.models import Site, Terminal
from tms.ingest.fairness.backfill_pace import BackfillPace
from tms.ingest.fairness.waiting_items import WaitingItems
from tms.ingest.fairness.weight import ORDINARY
from tms.ingest.items import Item, Reported
from tms.protocol import frames, limits
from tms_agent.storage.entry import ENTRY_OVERHEAD
from tms_agent.storage.spool import Bounds

EVENT = frames.TerminalEvent(AT, "door_open")


def link(number: int) -> Link:
    return Link(Terminal(pk=number, uid=f"T-{number}", site=Site(pk=1)))


def seqs(items: Sequence[Item]) -> list[tuple[int, int]]:
    """Terminal and `seq` of each report."""
    return [(item.link.identity.terminal_id, item.report.seq) for item in items if isinstance(item, Reported)]


@pytest.fixture
def waiting() -> WaitingItems:
    return WaitingItems()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 1),
        ({"metrics": {"m": 1.0}}, 1),
        ({"metrics": {f"m{n}": 1.0 for n in range(limits.METRICS_PER_REPORT)}}, 5),
        ({"events": (EVENT, EVENT)}, 3),
        ({"boot_id": "boot-0"}, 2),
        ({"events": (EVENT,) * limits.EVENTS_PER_REPORT}, 101),
    ],
    ids=["plain", "a metric", "every metric", "two events", "an earlier boot", "every event"],
)
def test_a_report_weighs_what_it_contains(params, expected):
    assert link(1).report(1, **params).weight == expected
    assert link(1).heartbeat().weight == 1


def test_terminals_with_few_items_are_taken_together_in_their_order(waiting):
    first, second = link(1), link(2)
    for item in (first.report(1), second.report(1), first.report(2)):
        waiting.add(item)

    taken = waiting.take_few(limit=2_000)

    assert seqs(taken) == [(1, 1), (1, 2), (2, 1)]
    assert (waiting.count, waiting.weight) == (0, 0)


def test_what_exceeds_the_limit_waits_for_the_next_flush(waiting):
    for number in range(1, 6):
        waiting.add(link(number).report(1))

    assert seqs(waiting.take_few(limit=2)) == [(1, 1), (2, 1)]
    assert waiting.count == waiting.few_weight == 3
    assert seqs(waiting.take_few(limit=2_000)) == [(3, 1), (4, 1), (5, 1)]


def test_a_backlog_also_gets_what_its_terminal_sends_later(waiting):
    busy, other = link(1), link(2)
    for seq in range(1, ORDINARY + 2):
        waiting.add(busy.report(seq))
    waiting.add(other.report(1))
    waiting.add(busy.report(ORDINARY + 2))

    assert seqs(waiting.take_few(limit=2_000)) == [(2, 1)]
    assert waiting.backlog_weight == ORDINARY + 2
    assert seqs(waiting.take_of_backlogs(limit=2_000)) == [(1, seq) for seq in range(1, ORDINARY + 3)]
    waiting.add(busy.report(100))
    assert seqs(waiting.take_few(limit=2_000)) == [(1, 100)]


def test_one_report_with_many_events_is_a_backlog(waiting):
    waiting.add(link(1).report(1, events=(EVENT,) * limits.EVENTS_PER_REPORT))

    assert waiting.take_few(limit=2_000) == []
    assert seqs(waiting.take_of_backlogs(limit=200)) == [(1, 1)]


def test_backlogs_take_turns_and_a_flush_of_them_is_short(waiting):
    links = [link(number) for number in (1, 2, 3)]
    for each in links:
        for seq in range(1, 11):
            waiting.add(each.report(seq, events=(EVENT,) * 99))

    flushes = [seqs(waiting.take_of_backlogs(limit=200)) for _ in range(3)]

    assert flushes == [[(1, 1), (2, 1)], [(3, 1), (1, 2)], [(2, 2), (3, 2)]]
    assert (waiting.count, waiting.weight) == (24, 2_400)


# Pace


def test_a_terminal_waits_only_after_its_burst_and_until_enough_time_has_passed():
    pace = BackfillPace()

    assert not pace.charge(1, limits.BACKFILL_BURST, at=0.0)
    assert pace.charge(1, 1_000, at=0.0)

    assert pace.wait_s(1, at=0.0) == pytest.approx(36)
    assert pace.wait_s(1, at=35.9) > 0
    assert pace.wait_s(1, at=36.1) == 0
    assert pace.wait_s(2, at=0.0) == 0


def test_a_terminal_that_has_been_quiet_for_hours_has_its_whole_burst_again():
    pace = BackfillPace()
    pace.charge(1, limits.BACKFILL_BURST, at=0.0)

    assert not pace.charge(1, limits.BACKFILL_BURST, at=3 * 3_600)


def test_terminals_that_may_send_their_whole_burst_are_removed():
    pace = BackfillPace()
    pace.charge(0, 3 * limits.BACKFILL_BURST, at=0.0)
    for number in range(1, 10_000):
        pace.charge(number, 1, at=float(number))

    assert len(pace.used) < 2_000
    assert pace.wait_s(0, at=10_000.0) > 0


def test_a_full_spool_of_the_agent_is_within_the_burst():
    event_bytes = len(msgspec.json.encode([EVENT, EVENT])) - len(msgspec.json.encode([EVENT]))
    spool = Bounds()

    assert spool.reports * (2 + limits.BOOT_WEIGHT) <= limits.BACKFILL_BURST
    assert (spool.bytes - spool.reports * ENTRY_OVERHEAD) / event_bytes <= limits.BACKFILL_BURST
