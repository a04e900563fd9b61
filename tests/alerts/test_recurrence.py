"""Occurrences of maintenance: each date once, even when clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.lib.calendar.local_time import local_time
from tms.lib.calendar.recurrence import BadRecurrence, Recurrence

TOKYO, BERLIN, NEW_YORK = (ZoneInfo(name) for name in ("Asia/Tokyo", "Europe/Berlin", "America/New_York"))
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def recurrence(zone: ZoneInfo, starts_at: str, hours: float, rule: str = "") -> Recurrence:
    return Recurrence(zone, datetime.fromisoformat(starts_at), timedelta(hours=hours), rule)


def listed(found: Recurrence, number: int = 5, *, after: datetime = EPOCH) -> list[str]:
    """The occurrences in UTC."""
    coming = islice(found.occurrences(after), number)
    return [f"{one.since:%m-%d %H:%M} {one.until:%H:%M}" for one in coming]


@pytest.mark.parametrize(
    ("zone", "starts_at", "hours", "occurrences"),
    [
        (TOKYO, "2026-03-28T01:00", 3, ["03-27 16:00 19:00", "03-28 16:00 19:00", "03-29 16:00 19:00"]),
        # The leap of 2026-03-29, 02:00 to 03:00.
        (BERLIN, "2026-03-28T01:00", 3, ["03-28 00:00 03:00", "03-29 00:00 02:00", "03-29 23:00 02:00"]),
        (BERLIN, "2026-03-28T02:30", 1.5, ["03-28 01:30 03:00", "03-29 01:00 02:00", "03-30 00:30 02:00"]),
        (BERLIN, "2026-03-28T02:15", 0.5, ["03-28 01:15 01:45", "03-29 01:00 01:30", "03-30 00:15 00:45"]),
        (BERLIN, "2026-03-28T23:00", 3.5, ["03-28 22:00 01:00", "03-29 21:00 00:30", "03-30 21:00 00:30"]),
        # The repeated hour of 2026-10-25, from 02:00 on.
        (BERLIN, "2026-10-24T01:00", 3, ["10-23 23:00 02:00", "10-24 23:00 03:00", "10-26 00:00 03:00"]),
        (BERLIN, "2026-10-24T02:30", 1, ["10-24 00:30 01:30", "10-25 00:30 02:30", "10-26 01:30 02:30"]),
        (BERLIN, "2026-10-24T02:15", 0.5, ["10-24 00:15 00:45", "10-25 00:15 01:45", "10-26 01:15 01:45"]),
        # New York: 2026-03-08 and 2026-11-01.
        (NEW_YORK, "2026-03-07T02:30", 1, ["03-07 07:30 08:30", "03-08 07:00 07:30", "03-09 06:30 07:30"]),
        (NEW_YORK, "2026-03-07T00:00", 24, ["03-07 05:00 05:00", "03-08 05:00 04:00", "03-09 04:00 04:00"]),
        (NEW_YORK, "2026-10-31T01:30", 1, ["10-31 05:30 06:30", "11-01 05:30 07:30", "11-02 06:30 07:30"]),
        (NEW_YORK, "2026-10-31T00:00", 24, ["10-31 04:00 04:00", "11-01 04:00 05:00", "11-02 05:00 05:00"]),
    ],
)
def test_every_day_has_one_occurrence_in_local_time(zone, starts_at, hours, occurrences):
    assert listed(recurrence(zone, starts_at, hours, "FREQ=DAILY"), 3) == occurrences


def test_a_single_window_has_one_occurrence():
    once = recurrence(TOKYO, "2026-11-25T22:00", 4)

    assert listed(once) == ["11-25 13:00 17:00"]
    assert listed(once, after=datetime(2026, 11, 25, 17, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY;INTERVAL=2", ["11-02", "11-04", "11-06", "11-08", "11-10"]),
        ("FREQ=WEEKLY;BYDAY=SU,WE", ["11-04", "11-08", "11-11", "11-15", "11-18"]),
        ("RRULE:FREQ=MONTHLY;BYDAY=2SU", ["11-08", "12-13", "01-10", "02-14", "03-14"]),
        ("FREQ=YEARLY;BYDAY=-10SU", ["10-24", "10-29", "10-28", "10-27", "10-26"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["11-30", "12-31", "01-31", "02-28", "03-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["11-30", "12-31", "01-29", "02-26", "03-31"]),
        ("freq=daily;count=3", ["11-02", "11-03", "11-04"]),
        ("FREQ=DAILY;UNTIL=20261104", ["11-02", "11-03", "11-04"]),
        ("FREQ=DAILY;UNTIL=20261104T015959", ["11-02", "11-03"]),
        ("FREQ=DAILY;UNTIL=20261103T170000Z", ["11-02", "11-03", "11-04"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", []),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5", []),
    ],
)
def test_a_recurrence_gives_its_dates(rule, days):
    """2026-11-02 is a Monday."""
    found = islice(recurrence(TOKYO, "2026-11-02T02:00", 1, rule).occurrences(EPOCH), 5)

    assert [f"{local_time(one.since, TOKYO):%m-%d}" for one in found] == days


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("FREQ=HOURLY", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("BYDAY=SU", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY;BYHOUR=1,2", "BYHOUR is not allowed"),
        ("FREQ=DAILY;X", "X is not allowed"),
        ("every sunday", "EVERY SUNDAY is not allowed"),
        ("FREQ=DAILY;FREQ=WEEKLY", "each part only once"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be a number"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL must be a number"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL must be a date"),
        ("FREQ=WEEKLY;BYDAY=XX", "Invalid recurrence"),
        ("FREQ=MONTHLY;BYMONTHDAY=many", "Invalid recurrence"),
        ("FREQ=YEARLY;BYMONTH=13;BYDAY=1MO", "BYMONTH=13 is out of range. Allowed: 1…12"),
        ("FREQ=MONTHLY;BYDAY=2SU,22SU", "BYDAY=22SU is out of range. Allowed: 1…5, -1…-5"),
        ("FREQ=YEARLY;BYMONTH=9;BYDAY=SU(-22)", r"BYDAY=SU\(-22\) is out of range"),
        ("FREQ=YEARLY;BYDAY=-54SU", "BYDAY=-54SU is out of range"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0 is out of range"),
        ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY=367 is out of range"),
        ("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO=54 is out of range"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-367", "BYSETPOS=-367 is out of range"),
    ],
)
def test_an_invalid_recurrence_is_refused_with_the_reason(rule, message):
    with pytest.raises(BadRecurrence, match=message):
        list(islice(recurrence(TOKYO, "2026-11-02T02:00", 1, rule).occurrences(EPOCH), 1))


@given(
    zone=st.sampled_from([TOKYO, BERLIN, NEW_YORK]),
    first=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    minutes=st.integers(1, 24 * 60),
)
def test_a_daily_window_is_never_doubled_and_never_skipped(zone, first, at, minutes):
    starts_at = datetime.combine(first, at)
    daily = Recurrence(zone, starts_at, timedelta(minutes=minutes), "FREQ=DAILY;COUNT=8")

    found = list(daily.occurrences(EPOCH))

    assert [local_time(one.since, zone).date() for one in found] == [first + timedelta(days=n) for n in range(8)]
    assert all(one.since < one.until for one in found)
    assert all(earlier.since < later.since for earlier, later in pairwise(found))
    for one in found:
        assert local_time(one.since, zone).time() == at or (
            zone is not TOKYO and local_time(one.since, zone).time() == time(3)
        )
