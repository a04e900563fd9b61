"""When a job starts, and when again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.jobs.schedules import plan
from tms.lib.calendar.recurrence import Occurrence, Recurrence

TOKYO = ZoneInfo("Asia/Tokyo")
NIGHTLY = Recurrence(TOKYO, datetime(2026, 11, 25, 3), timedelta(hours=2), "FREQ=DAILY")  # noqa: DTZ001  (a wall time)
FIRST = next(NIGHTLY.occurrences(datetime(2026, 11, 24, tzinfo=UTC)))


def night(number: int) -> datetime:
    return FIRST.since + timedelta(days=number)


CASES = [
    ("at once", timedelta(0), False, True, 1),
    ("late, but it could still be going", timedelta(hours=1, minutes=59), False, True, 1),
    ("too late", timedelta(hours=2), False, False, 1),
    ("the clock was away for three nights", timedelta(days=3, hours=5), False, False, 4),
    ("the clock is back within the third night", timedelta(days=3, hours=1), False, False, 3),
    ("the run before is still going", timedelta(0), True, False, 1),
]


@pytest.mark.parametrize(("_", "late", "is_going", "starts", "next_night"), CASES)
def test_a_missed_start_is_made_up_once_or_skipped(_, late, is_going, starts, next_night):
    planned = plan(FIRST, NIGHTLY, FIRST.since + late, is_going=is_going)

    assert planned.starts is starts
    assert planned.next is not None
    assert planned.next.since == night(next_night)


BERLIN = ZoneInfo("Europe/Berlin")
CHANGES = [
    ("02:30 does not exist when summer time begins: 03:00", datetime(2027, 3, 27, 2, 30), [1.5, 1, 0.5]),  # noqa: DTZ001
    ("02:30 happens twice on the day when it ends", datetime(2027, 10, 30, 2, 30), [0.5, 0.5, 1.5]),  # noqa: DTZ001
    ("03:00 is the first minute of summer time", datetime(2027, 3, 27, 3), [2, 1, 1]),  # noqa: DTZ001
]


@pytest.mark.parametrize(("_", "first", "hours_utc"), CHANGES)
def test_a_night_at_which_summer_time_begins_or_ends_has_one_run(_, first, hours_utc):
    nightly = Recurrence(BERLIN, first, timedelta(hours=2), "FREQ=DAILY")

    due, found = next(nightly.occurrences(datetime(2027, 3, 26, tzinfo=UTC))), []
    for _ in range(3):
        found.append(due)
        planned = plan(due, nightly, due.since, is_going=False)
        assert planned.starts
        due = planned.next

    assert [one.since.hour + one.since.minute / 60 for one in found] == hours_utc
    assert len({one.since.astimezone(BERLIN).date() for one in found}) == 3


def test_a_job_that_occurs_once_has_no_next_start():
    once = Occurrence(FIRST.since, FIRST.until)

    assert plan(once, None, FIRST.since, is_going=False) == (True, None)


@given(st.lists(st.integers(1, 60 * 60 * 50), min_size=1, max_size=30), st.data())
def test_however_the_clock_is_interrupted_no_occurrence_starts_twice_or_after_its_end(pauses, data):
    at, due, started = FIRST.since, FIRST, []
    for pause in pauses:
        at += timedelta(seconds=pause)
        while due and due.since <= at:
            planned = plan(due, NIGHTLY, at, is_going=data.draw(st.booleans()))
            if planned.starts:
                started.append(due)
                assert due.since <= at < due.until
            due = planned.next

    assert len(set(started)) == len(started)
    assert started == sorted(started)
