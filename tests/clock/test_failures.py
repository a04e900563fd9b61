"""A failing pass of the clock does not affect other loops."""

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import DataError, InternalError, OperationalError, connection
from structlog.testing import capture_logs

from tests.clock.running_clock import Work, running
from tests.support.builders import AT, Link, later
from tms.alerts import correlation, lifecycle
from tms.alerts.maintenance import coverage, services
from tms.alerts.models import Alert
from tms.alerts.models.maintenance import Window
from tms.clock import jobs, presence_sweep, scheduler
from tms.clock.jobs import LOOPS, Loop
from tms.fleet.models import Presence, TerminalState
from tms.ingest import commit
from tms.lib import set_aside
from tms.lib.calendar.recurrence import Recurrence
from tms.lib.db.errors import is_database_away
from tms.lib.set_aside import SetAside, each, isolate
from tms.metrics import instruments
from tms.ops.models import LoopSuccess
from tms.telemetry.models import LateHour, Report, Rollup, RollupMark
from tms.telemetry.rollups import hourly as rollup_hourly

pytestmark = pytest.mark.both

HOUR = timedelta(hours=1)


def fail(*_: object) -> None:
    raise DataError("a row that the database refuses")


# Loops


@pytest.mark.usefixtures("quick", "fleet")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failing", {loop.lane: loop.name for loop in LOOPS}.values())
async def test_a_failing_loop_does_not_stop_the_others_or_end_leadership(failing, monkeypatch):
    leads = []
    monkeypatch.setattr(scheduler.Runner, "_lead_on", counted(leads, scheduler.Runner._lead_on))
    works = {loop.name: Work(fail if loop.name == failing else lambda n: None) for loop in LOOPS}
    counted_before = instruments.CLOCK_FAILURES.labels(failing)._value.get()

    async with running(*(Loop(loop.name, 0.001, works[loop.name], loop.lane) for loop in LOOPS)):
        for work in works.values():
            await work.done(2)

    assert len(leads) == len(jobs.Lane)
    assert instruments.CLOCK_FAILURES.labels(failing)._value.get() >= counted_before + 2


def counted(calls, lead_on):
    async def counting(runner):
        calls.append(runner)
        await lead_on(runner)

    return counting


@pytest.mark.usefixtures("quick", "fleet")
@pytest.mark.django_db(transaction=True)
async def test_an_unavailable_database_ends_leadership(monkeypatch):
    leads = []
    monkeypatch.setattr(scheduler.Runner, "_lead_on", counted(leads, scheduler.Runner._lead_on))

    def away(number: int) -> None:
        if number == 1:
            raise OperationalError("the connection is closed")

    work = Work(away)
    async with running(Loop("work", 0.001, work)):
        await work.done(3)

    assert len(leads) == 2


@pytest.mark.usefixtures("quick", "fleet")
@pytest.mark.django_db(transaction=True)
async def test_failed_hourly_work_is_repeated_sooner(monkeypatch):
    monkeypatch.setattr(scheduler, "RETRY_FAILED_S", 0.001)
    hourly = Work(lambda n: fail() if n < 3 else None)

    async with running(Loop("hourly", 3600, hourly)):
        await hourly.done(3)


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)
def test_a_loop_is_stalled_after_a_few_intervals_and_a_prompt_one_within_30_seconds(loop):
    assert loop.limit_s >= 3 * loop.interval_s
    assert loop.lane is jobs.Lane.SLOW or loop.limit_s <= 30 or loop.interval_s > 10


@pytest.mark.usefixtures("quick", "fleet")
@pytest.mark.django_db(transaction=True)
async def test_the_leader_reports_the_age_of_the_last_success_of_each_loop(monkeypatch):
    monkeypatch.setattr("tms.ops.health.loop_ages.WRITES_PER_LIMIT", 90_000)
    succeeding, failing = Work(), Work(fail)

    async with running(Loop("succeeding", 0.001, succeeding), Loop("failing", 0.001, failing)):
        await succeeding.done(3)
        await failing.done(30)
        ages = {sample.labels["loop"] for metric in instruments.CLOCK_LOOP_AGE.collect() for sample in metric.samples}

    written = await asyncio.to_thread(successes)
    assert ages == written.keys() == {"succeeding", "failing"}
    assert written["succeeding"].succeeded_at > written["failing"].succeeded_at
    assert not next(iter(instruments.CLOCK_LOOP_AGE.collect())).samples


def successes() -> dict[str, LoopSuccess]:
    """Runs in its own thread, whose connection must be closed."""
    try:
        return {loop.name: loop for loop in LoopSuccess.objects.all()}
    finally:
        connection.close()


# What counts as unavailable


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


def on_sqlite(code: int) -> Exception:
    error = sqlite3.OperationalError("reported by SQLite")
    error.sqlite_errorcode = code
    return caused(OperationalError("reported by SQLite"), error)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (DataError("out of range"), False),
        (ZeroDivisionError(), False),
        (OperationalError("server closed the connection"), True),
        (caused(OperationalError(), psycopg.OperationalError("the connection is lost")), True),
        (caused(OperationalError(), psycopg.errors.DiskFull()), True),
        (caused(OperationalError(), psycopg.errors.AdminShutdown()), True),
        (caused(OperationalError(), psycopg.errors.DeadlockDetected()), False),
        (caused(OperationalError(), psycopg.errors.QueryCanceled()), False),
        (caused(InternalError(), psycopg.errors.ReadOnlySqlTransaction()), True),
        (caused(InternalError(), psycopg.errors.DataCorrupted()), False),
        (on_sqlite(sqlite3.SQLITE_FULL), True),
        (on_sqlite(sqlite3.SQLITE_BUSY), True),
        (on_sqlite(sqlite3.SQLITE_IOERR_WRITE), True),
        (on_sqlite(sqlite3.SQLITE_ERROR), False),
    ],
    ids=repr,
)
def test_an_error_of_one_row_differs_from_an_unavailable_database(error, away):
    assert is_database_away(error) is away


# Rows


class Rows:
    """Work on many rows, some of which fail."""

    def __init__(self, bad: Sequence[int]) -> None:
        self.bad = set(bad)
        self.calls = 0
        self.done: set[int] = set()

    def __call__(self, keys: Sequence[int]) -> int:
        self.calls += 1
        if self.bad.intersection(keys):
            raise DataError("out of range")
        self.done |= set(keys)
        return len(keys)


@pytest.mark.parametrize("bad", [[], [0], [1999], [7, 700, 1500]])
def test_failing_rows_are_found_with_few_transactions_and_the_others_are_processed(db, bad):
    rows, aside = Rows(bad), SetAside[int]("test")

    done = isolate(range(2_000), rows, aside=aside, at=AT)

    assert (done, len(rows.done)) == (2_000 - len(bad),) * 2
    assert aside.keys(AT) == bad
    assert rows.calls <= 1 + 24 * len(bad)


def test_a_pass_in_which_everything_fails_is_bounded_and_the_next_one_gets_further(db):
    rows, aside = Rows(range(2_000)), SetAside[int]("test")

    for _ in range(2):
        left = [key for key in range(2_000) if key not in aside.keys(AT)]
        with pytest.raises(DataError):
            isolate(left, rows, aside=aside, at=AT)

    assert rows.calls == 2 * set_aside.MAX_FAILURES
    assert len(aside.keys(AT)) >= 20


def test_a_row_that_was_set_aside_is_retried_later_and_less_often_each_time(db):
    rows, aside = Rows([3]), SetAside[int]("test")
    minutes = []
    for minute in range(20):
        at = AT + timedelta(minutes=minute)
        if 3 not in aside.keys(at):
            minutes.append(minute)
            isolate([3], rows, aside=aside, at=at)
    rows.bad.clear()
    isolate([3], rows, aside=aside, at=AT + timedelta(hours=2))

    assert minutes == [0, 1, 3, 7, 15]
    assert aside.keys(AT) == []


def test_a_row_that_is_set_aside_shows_in_the_log_and_in_metrics(db):
    with capture_logs() as logs:
        isolate([1, 2], Rows([2]), aside=SetAside[int]("isolated"), at=AT)

    [result] = [line for line in logs if line["event"] == "row_set_aside"]
    assert (result["loop"], result["row"], result["failures"]) == ("isolated", "2", 1)
    assert instruments.CLOCK_SET_ASIDE.labels("isolated")._value.get() == 1
    assert instruments.CLOCK_FAILURES.labels("isolated")._value.get() == 1


def test_no_row_is_set_aside_because_of_an_unavailable_database(db):
    aside = SetAside[int]("test")

    def away(keys: Sequence[int]) -> int:
        raise OperationalError("the connection is closed")

    with pytest.raises(OperationalError):
        isolate([1, 2], away, aside=aside, at=AT)
    assert aside.keys(AT) == []


def test_the_number_of_rows_set_aside_is_bounded(db, monkeypatch):
    monkeypatch.setattr(set_aside, "MAX_ROWS", 5)
    aside = SetAside[int]("test")

    for key in range(9):
        aside.add(key, DataError(), at=AT + timedelta(seconds=key))

    assert aside.keys(AT) == [4, 5, 6, 7, 8]


def test_an_error_of_one_item_does_not_prevent_the_others():
    attempts = []

    def work(item: int) -> None:
        attempts.append(item)
        if item % 2:
            raise DataError(str(item))

    with pytest.raises(DataError, match="1"):
        each(range(4), work, loop="test")
    assert attempts == [0, 1, 2, 3]


# Loops with one bad row


@pytest.fixture(autouse=True)
def nothing_set_aside(monkeypatch):
    """Keys of other tests have no meaning here."""
    for one in list(set_aside._of_process):
        monkeypatch.setattr(one, "_entries", {})


def test_the_sweep_continues_without_the_failing_terminal(fleet, monkeypatch):
    bad, *others = [fleet.online(lease_s=1) for _ in range(5)]
    refuse(monkeypatch, presence_sweep, "follow", lambda moves: any(move.terminal_id == bad.pk for move in moves))

    presence_sweep.sweep(later(2))

    presence = dict(TerminalState.objects.values_list("pk", "presence"))
    assert presence.pop(bad.pk) == Presence.ONLINE
    assert set(presence.values()) == {Presence.SILENT}
    assert len(presence) == len(others)


def test_a_starting_node_resets_all_terminals_but_the_failing_one(fleet, monkeypatch):
    bad, *_ = [fleet.online(node="a", lease_s=600) for _ in range(4)]
    refuse(monkeypatch, presence_sweep, "follow", lambda moves: any(move.terminal_id == bad.pk for move in moves))

    assert presence_sweep.orphan("a", AT) == 3


def test_alerts_open_without_the_failing_condition(fleet, monkeypatch):
    fleet.presence_rule(Presence.SILENT, duration_s=5)
    bad, *_ = [fleet.online(lease_s=1) for _ in range(4)]
    presence_sweep.sweep(later(2))
    conditions = lifecycle.conditions
    refuse(
        monkeypatch,
        conditions,
        "record_transition",
        lambda alerts, *_: any(alert.terminal_id == bad.pk for alert in alerts),
    )

    assert lifecycle.open_pending(later(8)) == 3
    assert not Alert.objects.filter(terminal=bad).exists()


def test_incidents_are_reviewed_although_correlation_fails(fleet, monkeypatch):
    fleet.presence_rule(Presence.SILENT)
    fleet.online(lease_s=1)
    presence_sweep.sweep(later(2))
    reviewed = []
    module = sys.modules["tms.alerts.correlation.correlate"]
    monkeypatch.setattr(module, "_correlate", fail)
    monkeypatch.setattr(module, "_review_unresolved", reviewed.append)

    with pytest.raises(DataError):
        correlation.correlate(later(8))
    assert reviewed == [later(8)]


def test_an_unreadable_window_is_skipped(fleet, monkeypatch):
    windows = [
        services.plan(
            Recurrence(ZoneInfo("Asia/Tokyo"), AT.astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None), HOUR, ""),
            services.WindowScope(sites=[fleet.site()]),
            note="",
            by=None,
            at=AT,
        )
        for _ in range(2)
    ]
    Window.objects.filter(pk=windows[0].pk).update(time_zone="Mars/Olympus", occurs_until=AT)

    with capture_logs() as logs:
        running = coverage.running(later(60))

    assert [window.pk for window in running] == [windows[1].pk]
    assert [line["window"] for line in logs if line["event"] == "window_unreadable"] == [windows[0].pk]


def refuse(monkeypatch, module, name, is_bad) -> None:
    """`module.name` fails like the database if it is called with a value that `is_bad`."""
    real = getattr(module, name)

    def refusing(*args, **kwargs):
        if is_bad(*args):
            fail()
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, refusing)


def reports_of(fleet, hour: datetime, *values: float | str) -> Link:
    link = Link(fleet.terminal())
    commit.write([link.boot(at=hour)])
    commit.write([link.report(n, at=hour, metrics={"t": 1.0}) for n in range(1, 1 + len(values))])
    for report, value in zip(Report.objects.filter(terminal=link.terminal).order_by("seq"), values, strict=True):
        Report.objects.filter(pk=report.pk).update(metrics={"t": value})
    return link


@pytest.mark.services
def test_a_terminal_with_invalid_readings_is_rolled_up_last_and_all_others_at_once(fleet):
    hour = rollup_hourly.hour_of(AT)
    over = hour + timedelta(hours=1, minutes=10)
    RollupMark.objects.create(pk=1, hour=hour)
    bad, good = reports_of(fleet, hour, "hot", "hot"), reports_of(fleet, hour, 1.0, 2.0)

    for _ in range(3):
        rollup_hourly.advance(over)

    assert list(Rollup.objects.values_list("terminal", "count")) == [(good.terminal.pk, 2)]
    assert list(LateHour.objects.values_list("terminal", "hour")) == [(bad.terminal.pk, hour)]

    Report.objects.filter(terminal=bad.terminal).update(metrics={"t": 3.0})
    rollup_hourly.advance(over + timedelta(hours=2))

    assert Rollup.objects.get(terminal=bad.terminal).count == 2
    assert not LateHour.objects.exists()


def test_the_check_queries_the_database(db):
    """These are the errors that it raises."""
    with pytest.raises((DataError, OperationalError)) as raised, connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1e308::float8 * 1e308::float8"
            if connection.vendor == "postgresql"
            else "SELECT abs(-9223372036854775807 - 1)"
        )
    assert not is_database_away(raised.value)
