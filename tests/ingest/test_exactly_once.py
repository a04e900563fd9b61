"""A boot's `seq` is stored once, with any timestamp: the key of reports contains the timestamp."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from tests.support.builders import AT, Link, later
from tests.support.ingest.commit import booted, state_of, stored_reports, write
from tests.support.threads import DEADLINE_S
from tms.fleet.models import Terminal
from tms.ingest import commit
from tms.protocol import frames
from tms.telemetry.models import Boot, Event, Report

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def terminal(fleet):
    return fleet.terminal()


def instants(terminal: Terminal) -> list:
    return list(Report.objects.filter(terminal=terminal).order_by("seq").values_list("at", flat=True))


def test_a_repeated_report_with_another_timestamp_is_stored_once(terminal):
    link = booted(terminal)
    write(link.report(1), link.report(2))

    result = write(link.report(2, taken_at=later(86_400)), link.report(3))

    assert instants(terminal) == [AT, AT, AT]
    assert [item.report.seq for item in result.reports] == [2, 3]


def test_a_duplicate_within_one_batch_is_stored_once_with_the_first_events(terminal):
    link = booted(terminal)
    jammed = {"events": (frames.TerminalEvent(AT, "paper_jam"),)}

    write(link.report(1, **jammed), link.report(1, taken_at=later(5), **jammed), link.report(1, **jammed))

    assert instants(terminal) == [AT]
    assert Event.objects.count() == 1


def test_late_reports_count_as_repeated_too(terminal):
    link = booted(terminal)
    write(link.report(7, late=True))

    write(link.report(7, late=True, taken_at=later(-3600)))

    assert instants(terminal) == [AT]
    assert state_of(terminal).seq == 7


def test_a_report_of_an_earlier_boot_with_another_timestamp_is_stored_once(terminal):
    write(booted(terminal, "before").report(4))
    link = booted(terminal, "after")

    write(link.report(4, boot_id="before", taken_at=later(-7200)), link.report(5, boot_id="before"))

    assert stored_reports(terminal) == [("before", 4), ("before", 5)]


def test_a_terminal_that_returns_to_an_earlier_boot_continues_where_that_one_ended(terminal):
    """Two copies of one device replace each other's link."""
    write(booted(terminal, "one").report(9))
    write(booted(terminal, "other").report(1))

    link = booted(terminal, "one")
    write(link.report(9, taken_at=later(60)), link.report(10, taken_at=later(61)))

    assert link.outcome.acked_seq == 9
    assert stored_reports(terminal) == [("one", 9), ("one", 10), ("other", 1)]


def test_a_new_boot_continues_after_its_reports_in_the_same_batch(terminal):
    """An earlier link sent them, as reports of another boot."""
    link, again = booted(terminal, "one"), Link(terminal)

    write(link.report(4, late=True, boot_id="other"), again.boot("other"))

    assert again.outcome.acked_seq == 4
    assert state_of(terminal).seq == 4


def test_a_skipped_seq_is_stored_when_it_arrives_later(terminal):
    link = booted(terminal)
    write(link.report(1), link.report(3))

    write(link.report(2))

    assert stored_reports(terminal) == [("boot-1", 1), ("boot-1", 2), ("boot-1", 3)]


def test_a_terminal_is_deleted_with_all_of_its_data(terminal):
    write(booted(terminal).report(1))

    terminal.delete()

    assert not Report.objects.exists()
    assert not Boot.objects.exists()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_rows_written_during_the_deletion_of_a_terminal_are_deleted_too(terminal):
    """Reports have no foreign key for this: writers hold the lock of the state, which is deleted first."""
    link = booted(terminal)

    with ThreadPoolExecutor(1) as aside:
        with transaction.atomic():
            commit.write([link.report(1)])
            deletion = aside.submit(delete, terminal.pk)
            while not (is_a_transaction_waiting() or deletion.done()):
                pass
        deletion.result(DEADLINE_S)
    write(link.report(2), Link(terminal).boot("boot-2"))

    assert not Terminal.objects.exists()
    assert not Report.objects.exists()


def delete(pk: int) -> None:
    try:
        Terminal.objects.get(pk=pk).delete()
    finally:
        connection.close()


def is_a_transaction_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
