"""Small batches are committed from the event loop, and everything else by the thread."""

import contextlib
from collections.abc import Sequence

import pytest
from django.db import OperationalError, connection

from tests.support.builders import AT, Link
from tests.support.ingest.batch import commit, running
from tests.support.ingest.commit import booted
from tests.support.polling import wait_for_value_async
from tests.support.threads import in_thread, open_transaction
from tms.alerts.rules.cache import rule_cache
from tms.feed.change import Change
from tms.fleet.models import TerminalState
from tms.ingest import batch as batch_module
from tms.ingest.batch import Batch
from tms.ingest.batch_result import BatchResult
from tms.ingest.commit import loop_writer
from tms.ingest.commit import write as write_items
from tms.ingest.commit.loop_writer import LoopWriter
from tms.ingest.items import Item
from tms.lib.db.clock import db_clock
from tms.lib.db.loop_connection import LoopConnection
from tms.telemetry.models import Report

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def quick(settings, monkeypatch, feed_recorder):
    settings.FLUSH_INTERVAL_S = 0.01
    monkeypatch.setattr(batch_module, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(db_clock(), "now", lambda: AT)  # no hour has ended


@pytest.fixture
def link(fleet) -> Link:
    """The link of an online terminal, in a process that has read the rules."""
    rule_cache().get()
    return booted(fleet.terminal())


class Thread:
    """What the thread had to commit."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Item]] = []
        self.errors: list[Exception] = []

    def write(self, items: Sequence[Item]) -> BatchResult:
        self.batches.append(items)
        if self.errors:
            raise self.errors.pop()
        return write_items(items)


@pytest.fixture
def thread() -> Thread:
    return Thread()


def batch_of(thread: Thread, writer: LoopWriter | None = None) -> Batch:
    return Batch(thread.write, writer or LoopWriter())


def stored() -> list[tuple[int, int]]:
    return list(Report.objects.order_by("terminal", "seq").values_list("terminal", "seq"))


async def test_a_report_of_an_online_terminal_needs_no_thread(link, thread, feed_recorder):
    async with running(batch_of(thread)) as batch:
        await commit(batch, link.report(1), link.heartbeat(), link.report(2, status="fault"))

    assert thread.batches == []
    assert (link.committed_seqs, link.acknowledgements) == ([1, 2], 1)
    assert await in_thread(stored) == [(link.terminal.pk, 1), (link.terminal.pk, 2)]


async def test_what_does_not_fit_is_left_to_the_thread_in_its_order(fleet, link, thread):
    other = await in_thread(lambda: booted(fleet.terminal()))
    boot, report = other.boot("boot-2"), other.report(1)

    async with running(batch_of(thread)) as batch:
        await commit(batch, boot, link.report(1), report)

    assert [[id(item) for item in each] for each in thread.batches] == [[id(boot), id(report)]]
    assert (link.committed_seqs, other.committed_seqs) == ([1], [1])


async def test_a_lost_connection_costs_no_report_and_is_replaced(link, thread, monkeypatch):
    monkeypatch.setattr(loop_writer, "RETRY_S", 0)
    writer = LoopWriter()
    async with running(batch_of(thread, writer)) as batch:
        await commit(batch, link.report(1))
        first = writer.backend_pid
        await in_thread(end_connection, first)

        await commit(batch, link.report(2))
        await commit(batch, link.report(3))

        assert writer.backend_pid not in {None, first}
    assert link.committed_seqs == [1, 2, 3]


async def test_a_connection_that_ends_between_two_batches_is_replaced_for_the_next_one(link, thread):
    writer = LoopWriter()
    async with running(batch_of(thread, writer)) as batch:
        await commit(batch, link.report(1))
        await in_thread(end_connection, writer.backend_pid)
        await wait_for_value_async(lambda: writer.backend_pid, None)

        await commit(batch, link.report(2))

    assert (link.committed_seqs, thread.batches) == ([1, 2], [])


async def test_a_statement_that_the_network_does_not_accept_at_once_is_sent_in_parts(fleet, thread, monkeypatch):
    monkeypatch.setattr(loop_writer, "MAX_ITEMS", 20_000)
    link = await in_thread(lambda: booted(fleet.terminal()))

    async with running(batch_of(thread)) as batch:
        await commit(batch, *(link.report(seq) for seq in range(1, 10_001)))

    assert (len(link.committed_seqs), thread.batches) == (10_000, [])


def end_connection(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


async def test_after_an_error_the_thread_commits_everything_for_a_while(link, thread, monkeypatch):
    """The error need not be the database's: a value may not be encodable."""
    attempts = []

    async def fail(self: LoopConnection, sql: str, parameters: object) -> None:
        attempts.append(sql)
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    monkeypatch.setattr(LoopConnection, "fetch_prepared", fail)
    monkeypatch.setattr(loop_writer, "RETRY_S", 3_600)

    async with running(batch_of(thread)) as batch:
        await commit(batch, link.report(1))
        await commit(batch, link.report(2))

    assert ([len(each) for each in thread.batches], len(attempts)) == ([1, 1], 1)
    assert link.committed_seqs == [1, 2]


async def test_a_large_batch_is_left_to_the_thread(link, thread, monkeypatch):
    monkeypatch.setattr(loop_writer, "MAX_ITEMS", 2)

    async with running(batch_of(thread)) as batch:
        await commit(batch, *(link.report(seq) for seq in (1, 2, 3)))

    assert [len(each) for each in thread.batches] == [3]
    assert link.committed_seqs == [1, 2, 3]


async def test_after_a_change_of_rules_the_thread_reads_them_first(link, thread):
    async with running(batch_of(thread)) as batch:
        rule_cache().changed(Change(rules=True))

        await commit(batch, link.report(1))
        await commit(batch, link.report(2))

    assert [len(each) for each in thread.batches] == [1]


async def test_reports_are_stored_once_although_the_thread_failed_after_them(fleet, link, thread):
    other = await in_thread(lambda: booted(fleet.terminal()))
    thread.errors = [OperationalError("the database is away")]

    async with running(batch_of(thread)) as batch:
        await commit(batch, link.report(1), other.report(1, late=True))

    assert len(thread.batches) == 2
    assert await in_thread(stored) == [(link.terminal.pk, 1), (other.terminal.pk, 1)]
    assert (link.committed_seqs, other.committed_seqs) == ([1], [1])


async def test_a_batch_stops_although_its_statement_waits_for_a_lock(link, thread):
    """The report is not acknowledged, so the terminal sends it again."""
    with open_transaction(lambda: TerminalState.objects.select_for_update().get(pk=link.terminal.pk)):
        async with running(batch_of(thread)) as batch:
            batch.add(link.report(1))
            await wait_for_value_async(waiting_for_locks, 1)

    assert (link.committed_seqs, thread.batches) == ([], [])


def waiting_for_locks() -> int:
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])
