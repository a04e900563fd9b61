"""Items that a process collects and commits together."""

import asyncio
import re
from collections.abc import Sequence

import pytest
from django.db import OperationalError, connection, transaction

from tests.support.builders import Link
from tests.support.ingest.batch import commit, running
from tests.support.threads import in_thread
from tms.fleet.models import Presence, TerminalState
from tms.ingest import batch as module
from tms.ingest.batch import Batch
from tms.ingest.batch_result import BatchResult
from tms.ingest.commit import write as write_items
from tms.ingest.items import Item
from tms.telemetry.models import Report

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

POISON = {"status": None}
"""A value that the codec would reject, and every database rejects."""


@pytest.fixture(autouse=True)
def quick(settings, monkeypatch, feed_recorder):
    settings.FLUSH_INTERVAL_S = 0.01
    monkeypatch.setattr(module, "FIRST_RETRY_S", 0.01)


@pytest.fixture
def link(fleet) -> Link:
    return Link(fleet.terminal())


async def seqs() -> list[int]:
    return await in_thread(lambda: sorted(Report.objects.values_list("seq", flat=True)))


async def test_added_items_are_committed_and_acknowledged_once_a_flush(link):
    async with running(Batch()) as batch:
        await commit(batch, link.boot())
        await commit(batch, link.report(1), link.report(2), link.report(3))

    assert await seqs() == [1, 2, 3]
    assert (link.committed_seqs, link.acknowledgements) == ([1, 2, 3], 1)
    assert link.outcome.session == 1
    assert batch.pending == 0


async def test_repeated_reports_are_acknowledged_too(link):
    async with running(Batch()) as batch:
        await commit(batch, link.boot(), link.report(1))

        await commit(batch, link.report(1))

    assert link.committed_seqs == [1, 1]
    assert await seqs() == [1]


async def test_a_fenced_report_is_not_acknowledged_and_its_link_is_closed_as_replaced(fleet, link):
    newer = Link(link.terminal)
    async with running(Batch()) as batch:
        await commit(batch, link.boot(), newer.boot())

        await commit(batch, link.report(1), newer.report(1), link.report(2))

    assert (link.committed_seqs, newer.committed_seqs) == ([], [1])
    assert (link.times_fenced, newer.times_fenced) == (1, 0)


async def test_a_large_batch_is_committed_in_parts_and_in_order(settings, link):
    settings.FLUSH_LIMIT = 3
    async with running(Batch()) as batch:
        await commit(batch, link.boot(), *(link.report(seq) for seq in range(1, 31)))

    assert link.committed_seqs == list(range(1, 31))


@pytest.mark.parametrize(
    ("cost_s", "has_boots", "wait_s"),
    [
        (0.0, False, 0.0),
        (0.45 * module.FLUSH_SHARE, False, 0.45),
        (60.0, False, 2.0),
        (60.0, True, 0.5),
    ],
    ids=["idle", "cheap", "expensive", "while terminals boot"],
)
def test_the_more_a_flush_costs_the_longer_reports_are_gathered(fleet, settings, cost_s, has_boots, wait_s):
    settings.FLUSH_INTERVAL_S = 2.0
    link = Link(fleet.terminal())
    items = [link.boot() if has_boots else link.report(1)]

    assert module.batch_wait_s(items, cost_s) == pytest.approx(wait_s)


async def test_a_full_batch_does_not_wait_for_more(settings, monkeypatch, link):
    settings.FLUSH_LIMIT = 3
    async with running(Batch()) as batch:
        await commit(batch, link.boot())
        settings.FLUSH_INTERVAL_S = 3_600
        monkeypatch.setattr(module, "FLUSH_SHARE", 1e-9)

        await commit(batch, *(link.report(seq) for seq in range(1, 13)))

    assert link.committed_seqs == list(range(1, 13))


async def test_a_backlog_delays_other_terminals_by_one_short_flush(fleet, monkeypatch, link):
    monkeypatch.setattr(module, "BACKLOG_LIMIT", 20)
    other, flushes = Link(await in_thread(fleet.terminal)), []

    def write(items: Sequence[Item]) -> BatchResult:
        flushes.append([item.link for item in items])
        return write_items(items)

    async with running(Batch(write)) as batch:
        await commit(batch, link.boot(), other.boot())
        flushes.clear()
        await commit(batch, *(link.report(seq) for seq in range(1, 101)), other.report(1))

    assert link.committed_seqs == list(range(1, 101))
    assert [len(flush) for flush in flushes if link in flush] == [20] * 5
    assert [other] in flushes[:2]


async def test_backlogs_leave_room_for_other_terminals(settings, link):
    settings.PENDING_LIMIT = 40
    away = Away()
    async with running(Batch(away.write)) as batch:
        for seq in range(1, 20):
            batch.add(link.report(seq))
        before = batch.has_room_for_backlogs
        batch.add(link.report(20))

        assert (before, batch.has_room_for_backlogs, batch.has_room) == (True, False, True)


# Items that cannot be committed


async def test_one_report_that_cannot_be_committed_does_not_affect_the_others(fleet, link, caplog):
    other = Link(link.terminal)
    others = [Link(terminal) for terminal in await in_thread(fleet.terminals, 3)]
    async with running(Batch()) as batch:
        await commit(batch, other.boot(), *(each.boot() for each in others))

        reports = [each.report(1) for each in (*others, other)]
        await commit(batch, *reports[:2], other.report(2, **POISON), *reports[2:])
        await commit(batch, other.report(3))

    assert await seqs() == [1, 1, 1, 1, 3]
    assert (other.committed_seqs, other.rejected_seqs) == ([1, 3], [2])
    assert all((each.committed_seqs, each.rejected_seqs) == ([1], []) for each in others)
    assert [record.levelname for record in caplog.records if "item_refused" in str(record.msg)] == ["ERROR"]


@pytest.mark.services
async def test_a_boot_that_cannot_be_committed_is_refused_and_fences_no_session(fleet, link):
    """PostgreSQL accepts no zone in an address; the boot was refused, and its session number was never used."""
    newer = Link(link.terminal)
    async with running(Batch()) as batch:
        await commit(batch, link.boot(address="fe80::1%eth0"))
        await commit(batch, newer.boot("boot-2"))

        await commit(batch, link.lost())

    assert (link.outcome, link.refused_boots, newer.outcome.session) == (None, 1, 1)
    assert await in_thread(lambda: TerminalState.objects.get().presence) == Presence.ONLINE


async def test_a_programming_error_is_narrowed_down_to_its_item_as_well(link):
    def careless(items: Sequence[Item]) -> BatchResult:
        if any(getattr(item, "report", None) and item.report.seq == 2 for item in items):
            raise KeyError("seq")
        return write_items(items)

    async with running(Batch(careless)) as batch:
        await commit(batch, link.boot(), *(link.report(seq) for seq in (1, 2, 3)))

    assert (link.committed_seqs, link.rejected_seqs) == ([1, 3], [2])


async def test_a_link_whose_callback_fails_does_not_affect_the_others(fleet, link):
    broken = Link(link.terminal)
    others = [Link(terminal) for terminal in await in_thread(fleet.terminals, 2)]
    broken.acknowledge = broken.on_booted = lambda *_: 1 / 0
    async with running(Batch()) as batch:
        await commit(batch, broken.boot(), *(each.boot() for each in others))
        await commit(batch, broken.report(1), *(each.report(1) for each in others))

        await commit(batch, others[0].report(2))

    assert [each.acknowledgements for each in others] == [2, 1]
    assert others[0].committed_seqs == [1, 2]


# During a database outage


class Away:
    """A database that recovers on request."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_away = True

    def write(self, items: Sequence[Item]) -> BatchResult:
        self.asked += 1
        if self.is_away:
            raise OperationalError("the database is away")
        return write_items(items)


async def asked_again(away: Away, times: int = 2) -> None:
    before = away.asked
    while away.asked < before + times:
        await asyncio.sleep(0)


async def test_during_a_database_outage_nothing_is_acknowledged_and_nothing_is_lost(link):
    away = Away()
    async with running(Batch(away.write)) as batch:
        batch.add(link.boot())
        await asked_again(away)
        for seq in (1, 2):
            batch.add(link.report(seq))
        await asked_again(away)
        result, pending = (link.outcome, link.acknowledgements, *link.committed_seqs), batch.pending

        away.is_away = False
        await batch.wait_until_idle()

    assert (result, pending) == ((None, 0), 3)
    assert link.committed_seqs == [1, 2]
    assert await seqs() == [1, 2]


async def test_items_that_wait_too_long_for_a_commit_are_reported(link, monkeypatch):
    monkeypatch.setattr(module, "LATE_S", 0.0)
    away = Away()
    async with running(Batch(away.write)) as batch:
        idle = batch.problem
        batch.add(link.boot())
        await asked_again(away)
        waiting = batch.problem
        away.is_away = False
        await batch.wait_until_idle()

        assert (idle, batch.problem) == ("", "")
        assert re.fullmatch(r"no commit for \d+ s while 1 items wait", waiting)


async def test_a_full_batch_accepts_nothing_until_it_is_committed(settings, link):
    settings.PENDING_LIMIT = 4
    away = Away()
    async with running(Batch(away.write)) as batch:
        batch.add(link.boot())
        await asked_again(away)
        for seq in range(1, 4):
            batch.add(link.report(seq))
            await batch.room()
        batch.add(link.report(4))
        waiting = asyncio.ensure_future(batch.room())
        await asked_again(away)
        was_waiting = not waiting.done()

        away.is_away = False
        await waiting
        await batch.wait_until_idle()

    assert was_waiting
    assert link.committed_seqs == [1, 2, 3, 4]


READ_ONLY = {"postgresql": "SET TRANSACTION READ ONLY", "sqlite": "PRAGMA query_only = on"}
"""Statements that hold until the transaction, or the connection, ends."""


async def test_a_read_only_database_is_retried_like_an_unavailable_one(link):
    """A full disk, or a node that is still connected to the former primary after a failover."""
    tries = []

    def write(items: Sequence[Item]) -> BatchResult:
        tries.append(len(items))
        with transaction.atomic():
            if len(tries) < 3:
                with connection.cursor() as cursor:
                    cursor.execute(READ_ONLY[connection.vendor])
            return write_items(items)

    async with running(Batch(write)) as batch:
        await commit(batch, link.boot(), link.report(1))

    assert link.refused_boots == 0
    assert (link.committed_seqs, link.rejected_seqs) == ([1], [])


@pytest.mark.services
async def test_a_terminated_connection_is_replaced(link):
    backends = []

    def write(items: Sequence[Item]) -> BatchResult:
        backends.append(asked("SELECT pg_backend_pid()"))
        return write_items(items)

    async with running(Batch(write)) as batch:
        await commit(batch, link.boot())
        await in_thread(asked, "SELECT pg_terminate_backend(%s)", backends[0])

        await commit(batch, link.report(1))

    assert link.committed_seqs == [1]


def asked(sql: str, *parameters: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]
