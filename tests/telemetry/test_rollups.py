"""Hourly roll-ups equal a computation from all reports, in any order of arrival."""

import contextlib
from collections import defaultdict
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import factories
from tests.support.builders import AT, later
from tests.support.ingest.commit import booted, write
from tms.fleet.models import Terminal
from tms.ingest import commit
from tms.lib.db.clock import db_clock
from tms.protocol.limits import METRIC_NAMES
from tms.telemetry.models import LateHour, Report, Rollup, RollupMark
from tms.telemetry.rollups import hourly
from tms.telemetry.rollups.hourly import HOUR

pytestmark = [pytest.mark.both, pytest.mark.embedded]

OVER = AT + HOUR + hourly.SETTLING
"""When the hour that begins at AT may be rolled up."""


@pytest.fixture
def from_here(fleet) -> None:
    """Nothing before AT needs to be rolled up."""
    RollupMark.objects.create(pk=1, hour=AT)


@pytest.fixture
def terminal(fleet, from_here) -> Terminal:
    return fleet.terminal()


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The store's clock is fixed at AT."""
    monkeypatch.setattr(db_clock(), "now", lambda: AT)

    def at(moment: datetime) -> None:
        monkeypatch.setattr(db_clock(), "now", lambda: moment)

    return at


def advance(at: datetime) -> None:
    """Run all pending passes."""
    while hourly.roll_next(at) or hourly.roll_late(at):
        pass


def by_hand() -> dict[Any, tuple[Any, ...]]:
    readings: dict[Any, list[float]] = defaultdict(list)
    for report in Report.objects.order_by("at", "boot_id", "seq"):
        for metric, value in report.metrics.items():
            readings[report.terminal_id, hourly.hour_of(report.at), metric].append(value)
    return {
        key: (len(values), pytest.approx(sum(values)), min(values), max(values), values[-1])
        for key, values in readings.items()
    }


def rolled() -> dict[Any, tuple[Any, ...]]:
    rows = Rollup.objects.values_list("terminal", "hour", "metric", "count", "total", "lowest", "highest", "last")
    return {row[:3]: row[3:] for row in rows}


# An hour


def test_a_past_hour_is_rolled_up_per_terminal_and_metric(fleet, from_here):
    one, other = booted(fleet.terminal()), booted(fleet.terminal())
    write(
        one.report(1, taken_at=later(0), metrics={"temperature_c": 60.5, "paper_pct": 40}),
        one.report(2, taken_at=later(30), metrics={"temperature_c": 58.0}),
        one.report(3, at=later(3599), metrics={"temperature_c": 59.0}),
        one.report(4, at=later(3600), metrics={"temperature_c": 99.0}),
        other.report(1, taken_at=later(10), metrics={"temperature_c": -3.25}),
        other.report(2, taken_at=later(20), status="ok"),
    )

    advance(OVER)

    first, second = one.terminal.pk, other.terminal.pk
    assert rolled() == {
        (first, AT, "temperature_c"): (3, 177.5, 58.0, 60.5, 59.0),
        (first, AT, "paper_pct"): (1, 40.0, 40.0, 40.0, 40.0),
        (second, AT, "temperature_c"): (1, -3.25, -3.25, -3.25, -3.25),
    }


def test_an_hour_is_not_rolled_up_before_it_is_over_and_has_settled(terminal):
    write(booted(terminal).report(1, metrics={"temperature_c": 60.0}))

    advance(OVER - timedelta(seconds=1))

    assert not Rollup.objects.exists()
    assert hourly.until(OVER) == AT


def test_a_fleet_is_rolled_up_in_batches_of_terminals(fleet, from_here, monkeypatch):
    monkeypatch.setattr(hourly, "TERMINALS", 3)
    for terminal in fleet.terminals(7):
        write(booted(terminal).report(1, metrics={"temperature_c": 60.0}))

    steps = 0
    while hourly.roll_next(OVER):
        steps += 1

    assert steps == 3
    assert Rollup.objects.count() == 7


def test_a_pass_is_short_and_the_next_continues_where_it_ended(fleet, from_here, monkeypatch):
    monkeypatch.setattr(hourly, "TERMINALS", 1)
    for terminal in fleet.terminals(6):
        write(booted(terminal).report(1, metrics={"temperature_c": 60.0}))

    hourly.advance(OVER)
    first = Rollup.objects.count()
    hourly.advance(OVER)

    assert (first, Rollup.objects.count()) == (hourly.STEPS, 6)


def test_they_begin_with_the_first_report_and_not_with_empty_hours(fleet):
    terminal = fleet.terminal()
    assert not hourly.roll_next(OVER)
    assert not RollupMark.objects.exists()

    write(booted(terminal).report(1, metrics={"temperature_c": 60.0}))
    hourly.advance(OVER + HOUR)

    assert Rollup.objects.get().hour == AT
    assert RollupMark.objects.get().hour == AT + 2 * HOUR


def test_reports_of_the_previous_hour_within_its_grace_are_rolled_up_although_they_have_just_begun(fleet, now):
    """It is not marked late: an hour that just ended is still to be rolled up."""
    link = booted(fleet.terminal())
    now(AT + timedelta(seconds=20))
    write(link.report(2, at=AT + timedelta(seconds=10), metrics={"temperature_c": 60.0}))
    hourly.roll_next(AT + timedelta(seconds=20))

    now(AT + timedelta(seconds=40))
    write(link.report(1, at=AT - timedelta(seconds=10), metrics={"temperature_c": 50.0}))
    advance(OVER)

    assert not LateHour.objects.exists()
    assert set(Rollup.objects.values_list("hour", flat=True)) == {AT - HOUR, AT}


def test_a_first_report_from_a_clock_that_is_ahead_skips_no_hour(fleet):
    link = booted(fleet.terminal())
    write(link.report(1, at=AT + 3 * HOUR, metrics={"temperature_c": 60.0}))
    hourly.roll_next(AT)

    write(link.report(2, at=AT, metrics={"temperature_c": 50.0}))
    advance(OVER)

    assert Rollup.objects.get().hour == AT


def test_after_a_long_outage_they_continue_with_the_remaining_data(fleet, settings):
    settings.READINGS_DAYS = 2
    RollupMark.objects.create(pk=1, hour=AT - timedelta(days=400))

    assert hourly.until(AT) == datetime(2026, 11, 23, tzinfo=AT.tzinfo)


def test_roll_ups_outlive_their_reports(terminal):
    link = booted(terminal)
    write(link.report(1, metrics={"temperature_c": 60.0}), link.report(2, metrics={"temperature_c": 70.0}))
    advance(OVER)
    before = rolled()

    Report.objects.filter(seq=1).delete()
    hourly.roll([terminal.pk], AT)
    Report.objects.all().delete()
    hourly.roll([terminal.pk], AT)

    assert rolled() == before


# Late


def test_late_reports_are_rolled_up_again(terminal, now):
    link = booted(terminal)
    write(link.report(1, metrics={"temperature_c": 60.0}))
    advance(OVER)
    now(later(7200))

    write(link.report(2, taken_at=later(60), late=True, metrics={"temperature_c": 80.0, "paper_pct": 3}))
    advance(later(7201))

    assert rolled()[terminal.pk, AT, "temperature_c"] == (2, 140.0, 60.0, 80.0, 80.0)
    assert rolled()[terminal.pk, AT, "paper_pct"] == (1, 3.0, 3.0, 3.0, 3.0)
    assert not LateHour.objects.exists()


def test_only_late_and_new_reports_are_marked(terminal, now):
    link = booted(terminal)
    write(link.report(1))
    now(AT + HOUR + hourly.GRACE)

    write(link.report(1), link.report(2, at=AT + HOUR))
    timely = list(LateHour.objects.all())
    write(link.report(3, taken_at=later(3599)))

    assert timely == []
    assert list(LateHour.objects.values_list("terminal", "hour")) == [(terminal.pk, AT)]


def test_right_after_an_hour_its_reports_are_not_late(terminal, now):
    now(AT + HOUR + hourly.GRACE - timedelta(seconds=1))

    write(booted(terminal).report(1, taken_at=later(3599)))

    assert not LateHour.objects.exists()


def test_late_reports_wait_for_the_first_roll_up_of_their_hour(terminal, now):
    now(AT + HOUR + hourly.GRACE)
    write(booted(terminal).report(1, metrics={"temperature_c": 60.0}))

    hourly.roll_late(OVER)
    marked = LateHour.objects.count()
    advance(OVER)

    assert (marked, LateHour.objects.count()) == (1, 0)
    assert rolled() == by_hand()


def test_reports_older_than_the_retention_are_not_rolled_up(terminal, now):
    ancient = AT.replace(year=1970)

    write(booted(terminal).report(1, taken_at=ancient, metrics={"temperature_c": 60.0}))
    advance(OVER)

    assert not Rollup.objects.exists()
    assert not LateHour.objects.exists()


# Any order


values = st.integers(-8_000_000, 8_000_000).map(lambda eighths: eighths / 8)
"""Their sums are exact in any order; those of others are not in PostgreSQL, and cancellation leaves only the error."""
reports = st.lists(
    st.tuples(
        st.integers(0, 1),  # whose
        st.integers(0, 4 * 3600 - 1),  # when it was taken
        st.dictionaries(st.sampled_from(("a", "b")), values, max_size=2),
        st.integers(0, 4 * 3600),  # how much later it was committed
        st.booleans(),  # whether the clock runs a pass thereafter
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(reported=reports)
def test_in_any_order_of_arrival_the_roll_ups_equal_the_reports(fleet, now, reported):
    with rolled_back():
        RollupMark.objects.create(pk=1, hour=AT)
        links = [booted(fleet.terminal()), booted(fleet.terminal())]
        arrivals = sorted(reported, key=lambda one: one[1] + one[3])
        for seq, (whose, taken_s, metrics, late_s, is_pass) in enumerate(arrivals, start=1):
            moment = later(taken_s + late_s)
            now(moment)
            write(links[whose].report(seq, at=moment, taken_at=later(taken_s), metrics=metrics))
            if is_pass:
                hourly.advance(moment)
        advance(later(8 * 3600) + HOUR + hourly.SETTLING)

        assert rolled() == by_hand()


@contextlib.contextmanager
def rolled_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# Races


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_late_report_that_is_being_committed_is_not_missed(terminal, now):
    """Its mark existed already; the pass that deletes the mark must not miss the report."""
    link = booted(terminal)
    advance(OVER)
    now(later(7200))
    write(link.report(1, taken_at=later(1), metrics={"temperature_c": 60.0}))

    with transaction.atomic():
        commit.write([link.report(2, taken_at=later(2), metrics={"temperature_c": 70.0})])
        passing = Thread(target=in_thread, args=[lambda: hourly.advance(later(7200))])
        passing.start()
        passing.join()
    advance(later(7200))

    assert rolled()[terminal.pk, AT, "temperature_c"][0] == 2


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_no_hour_is_closed_during_a_long_transaction(terminal, monkeypatch):
    """It may contain reports that were not late when it began."""
    monkeypatch.setattr(hourly, "LONG_TRANSACTION", timedelta(0))
    link = booted(terminal)
    found = []

    with transaction.atomic():
        commit.write([link.report(1, metrics={"temperature_c": 60.0})])
        passing = Thread(target=in_thread, args=[lambda: found.append(hourly.roll_next(OVER))])
        passing.start()
        passing.join()
    after = hourly.roll_next(OVER)

    assert (found, after) == ([False], True)
    assert rolled() == by_hand()


def in_thread(work: Any) -> None:
    work()
    connection.close()


def test_values_stored_before_there_were_limits_do_not_stop_roll_ups(terminal):
    for seq, value in enumerate((1.7e308, 1.7e308, -1.7e308, 20.0), start=1):
        factories.report(terminal, seq, at=later(seq), metrics={"a": value, "b": value})

    advance(OVER)

    assert set(Rollup.objects.values_list("metric", "count", "total")) == {("a", 1, 20.0), ("b", 1, 20.0)}


def test_the_number_of_metrics_per_hour_is_limited_and_existing_ones_stay(terminal, now):
    for seq in range(1, 5):
        factories.report(terminal, seq, at=later(seq), metrics={f"m{seq}.{number}": 1 for number in range(64)})
    advance(OVER)
    before = set(Rollup.objects.values_list("metric", flat=True))

    for seq in range(5, 9):
        factories.report(terminal, seq, at=later(seq), metrics={f"a{seq}.{number}": 1 for number in range(64)})
    hourly.roll([terminal.pk], AT)

    assert len(before) == METRIC_NAMES
    assert set(Rollup.objects.values_list("metric", flat=True)) == before
