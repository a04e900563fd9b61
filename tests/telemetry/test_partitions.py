"""Partitions exist before they are needed and are dropped when they are old, without affecting ingest."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from tests.support import factories
from tests.support.ingest.commit import booted, stored_reports, write
from tests.support.threads import run_concurrently
from tms.metrics import instruments
from tms.telemetry.models import Report, Rollup
from tms.telemetry.storage import partitions
from tms.telemetry.storage.partitions import REPORTS, ROLLUPS

pytestmark = pytest.mark.services

AT = datetime(2031, 3, 10, 9, tzinfo=UTC)
"""Far from today, for which the migrations created partitions."""
TODAY = partitions.day(AT)
BATCH = 20


@pytest.fixture(autouse=True)
def retention(settings) -> None:
    settings.READINGS_DAYS, settings.ROLLUPS_DAYS = 3, 40


def days(table: partitions.Partitioned = REPORTS, *, attached: bool = True) -> list[str]:
    found = partitions.existing(table)
    return [f"{one.start:%m-%d}" for one in found if one.is_attached is attached and one.start.year == 2031]


def report_at(link: Any, seq: int, at: datetime, *, received_at: datetime = AT) -> None:
    write(link.report(seq, at=max(at, received_at), taken_at=at, metrics={"temperature_c": 61.0}))


@pytest.fixture
def link(fleet) -> Any:
    return booted(fleet.terminal())


# Created


def test_the_coming_days_are_created_and_a_second_pass_changes_nothing(db):
    partitions.maintain(AT)
    first = days(), days(ROLLUPS)

    partitions.maintain(AT)

    assert first == (["03-10", "03-11", "03-12", "03-13"], ["03-01", "04-01"])
    assert (days(), days(ROLLUPS)) == first


def test_the_months_of_a_year_follow_each_other():
    december = datetime(2030, 12, 31, 23, tzinfo=UTC)

    assert [f"{start:%Y-%m-%d}" for start in ROLLUPS.upcoming(december)] == ["2030-12-01", "2031-01-01"]


def test_rows_without_a_partition_are_in_the_default_one_and_move_when_theirs_is_created(link):
    for seq, ahead in enumerate((-2, 0, 1, 2), start=1):
        report_at(link, seq, AT + timedelta(days=ahead))
    strays = partitions.count_default_rows(REPORTS)

    partitions.maintain(AT)

    assert (strays, partitions.count_default_rows(REPORTS)) == (4, 0)
    assert [seq for _, seq in stored_reports(link.terminal)] == [1, 2, 3, 4]
    assert days() == ["03-08", "03-10", "03-11", "03-12", "03-13"]  # nothing was of the 9th


def test_more_rows_than_fit_one_transaction_are_moved(link, monkeypatch):
    monkeypatch.setattr(partitions, "CHUNK", 2)
    for seq in range(1, 8):
        report_at(link, seq, AT)

    partitions.maintain(AT)

    assert (partitions.count_default_rows(REPORTS), Report.objects.count()) == (0, 7)


def test_reports_of_a_wrong_clock_stay_there_until_they_were_received_too_long_ago(link):
    report_at(link, 1, AT.replace(year=1970))
    factories.report(link.terminal, 2, at=AT.replace(year=2040))  # as stored before the time of arrival was used
    Report.objects.update(received_at=AT)

    partitions.maintain(AT)
    early = partitions.expire_default_rows(REPORTS, AT)
    late = partitions.expire_default_rows(REPORTS, AT + timedelta(days=4))

    assert (early, late) == (0, 2)
    assert not Report.objects.exists()


def test_a_table_that_was_created_and_never_attached_is_attached_with_its_rows(link):
    """The process that created it ended in between."""
    partitions.maintain(AT)
    report_at(link, 1, AT)
    report_at(link, 2, AT + timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {REPORTS.table} DETACH PARTITION {REPORTS.name(TODAY)}")
    report_at(link, 3, AT)
    meanwhile = Report.objects.count()

    partitions.maintain(AT)

    assert (meanwhile, Report.objects.count()) == (2, 3)
    assert days(attached=False) == []


# Dropped


def test_rows_older_than_the_retention_are_dropped_with_their_partition(link):
    partitions.maintain(AT)
    report_at(link, 1, AT)
    report_at(link, 2, AT + timedelta(days=1))
    Rollup.objects.create(terminal=link.terminal, hour=TODAY, metric="a", count=1, total=1, lowest=1, highest=1, last=1)

    partitions.maintain(AT + timedelta(days=4))

    assert [seq for _, seq in stored_reports(link.terminal)] == [2]
    assert days()[0] == "03-11"
    assert Rollup.objects.count() == 1


def test_a_partition_that_was_detached_and_not_dropped_is_dropped_when_it_is_old(db):
    partitions.maintain(AT)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {REPORTS.table} DETACH PARTITION {REPORTS.name(TODAY)}")

    partitions.maintain(AT + timedelta(days=4))

    assert days(attached=False) == []
    assert "03-10" not in days()


# Concurrency


@pytest.fixture
def day_of_its_own(transactional_db) -> Iterator[datetime]:
    """A day that no other test uses, removed afterwards."""
    yield TODAY
    partitions.drop(REPORTS, TODAY)


class Holding:
    """Another process in the middle of a transaction that ran `statement`."""

    def __init__(self, statement: str) -> None:
        self._statement = statement
        self._holds, self._may_end = Event(), Event()
        self._thread = Thread(target=self._hold)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._holds.wait(20)

    def __exit__(self, *_: object) -> None:
        self._may_end.set()
        self._thread.join()

    def _hold(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(self._statement)
            self._holds.set()
            self._may_end.wait(20)
        connection.close()


def make_in_the_end(is_made: Event) -> None:
    """Make partitions like consecutive passes: an unavailable lock is requested again."""
    try:
        while not days():
            partitions._step("make", REPORTS, TODAY, partitions.make)
    finally:
        is_made.set()


def failures(step: str) -> float:
    return instruments.PARTITION_FAILURES.labels(step)._value.get()


def test_a_partition_is_created_while_others_write_reports(day_of_its_own):
    with Holding(f"LOCK TABLE ONLY {REPORTS.table} IN ROW EXCLUSIVE MODE"):
        partitions.make(REPORTS, day_of_its_own)

    assert days() == ["03-10"]


def test_a_drop_that_would_have_to_wait_is_postponed_and_counted(day_of_its_own):
    partitions.make(REPORTS, day_of_its_own)
    before = failures("drop")

    with Holding(f"SELECT count(*) FROM {REPORTS.table}"):
        partitions._step("drop", REPORTS, day_of_its_own, partitions.drop)
        during = days()
    partitions._step("drop", REPORTS, day_of_its_own, partitions.drop)

    assert (during, days()) == (["03-10"], [])
    assert failures("drop") == before + 1


def test_concurrent_processes_create_a_partition_once(day_of_its_own, fleet):
    link = booted(fleet.terminal())
    report_at(link, 1, AT)

    run_concurrently(4, lambda n: partitions._step("make", REPORTS, day_of_its_own, partitions.make))

    assert days() == ["03-10"]
    assert (partitions.count_default_rows(REPORTS), Report.objects.count()) == (0, 1)


def test_reports_that_arrive_faster_than_they_are_moved_are_all_stored_and_block_nothing(
    day_of_its_own, fleet, monkeypatch
):
    monkeypatch.setattr(partitions, "CHUNK", 1)
    link = booted(fleet.terminal())
    for seq in range(1, 8):
        report_at(link, seq, AT)
    is_made = Event()

    def report_and_make(n: int) -> None:
        if n:
            make_in_the_end(is_made)
            return
        for first in count(8, BATCH):
            write(*(link.report(seq, at=AT, taken_at=AT) for seq in range(first, first + BATCH)))
            if is_made.is_set():
                return

    run_concurrently(2, report_and_make)

    found = [seq for _, seq in stored_reports(link.terminal)]
    assert found == list(range(1, len(found) + 1))
    assert partitions.count_default_rows(REPORTS) == 0
