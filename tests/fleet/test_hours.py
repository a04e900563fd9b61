"""When a site is open, in its local time: midnight, daylight saving, holidays, special days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.lib.calendar.local_time import instant, local_time
from tms.lib.calendar.opening_hours import ALL_DAY, HORIZON, Hours, OpenInterval

TOKYO, BERLIN, NEW_YORK = (ZoneInfo(name) for name in ("Asia/Tokyo", "Europe/Berlin", "America/New_York"))
ZONES = [TOKYO, BERLIN, NEW_YORK]
MONDAY, SATURDAY, SUNDAY = 0, 5, 6


def span(text: str) -> OpenInterval:
    opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    return OpenInterval(opens, closes)


def every_day(*texts: str, zone: ZoneInfo = TOKYO, **more) -> Hours:
    return Hours(zone, {weekday: tuple(map(span, texts)) for weekday in range(7)}, **more)


def local(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-11-23 is a Monday. Berlin: clocks skip 02:00 to 03:00 on 2026-03-29, and go back on 2026-10-25 from 03:00
# to 02:00. New York: the same on 2026-03-08 and 2026-11-01, at 02:00 both times.


@pytest.mark.parametrize(
    ("hours", "at", "is_open"),
    [
        ("09:00-18:00", "2026-11-23T08:59:59", False),
        ("09:00-18:00", "2026-11-23T09:00:00", True),
        ("09:00-18:00", "2026-11-23T17:59:59", True),
        ("09:00-18:00", "2026-11-23T18:00:00", False),
        ("18:00-02:00", "2026-11-23T17:59:59", False),
        ("18:00-02:00", "2026-11-23T23:59:59", True),
        ("18:00-02:00", "2026-11-24T00:00:00", True),
        ("18:00-02:00", "2026-11-24T01:59:59", True),
        ("18:00-02:00", "2026-11-24T02:00:00", False),
        ("18:00-00:00", "2026-11-23T23:59:59", True),
        ("18:00-00:00", "2026-11-24T00:00:00", False),
        ("00:00-00:00", "2026-11-23T00:00:00", True),
        ("00:00-00:00", "2026-11-23T23:59:59", True),
        ("06:00-06:00", "2026-11-23T05:59:59", True),
        ("06:00-06:00", "2026-11-23T06:00:00", True),
    ],
)
@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_day_opens_at_its_first_and_closes_at_its_last_minute(hours, at, is_open, zone):
    assert every_day(hours, zone=zone).is_open(local(at, zone)) is is_open


@pytest.mark.parametrize(
    ("zone", "hours", "around", "opens", "closes"),
    [
        # Clocks never change in Tokyo.
        (TOKYO, "01:30-04:00", "2026-03-29T01:00", "2026-03-28T16:30", "2026-03-28T19:00"),
        # The skipped hour of the night.
        (BERLIN, "01:30-04:00", "2026-03-29T01:00", "2026-03-29T00:30", "2026-03-29T02:00"),
        (BERLIN, "02:30-04:00", "2026-03-29T01:00", "2026-03-29T01:00", "2026-03-29T02:00"),
        (BERLIN, "01:30-02:30", "2026-03-29T01:00", "2026-03-29T00:30", "2026-03-29T01:00"),
        (BERLIN, "18:00-02:30", "2026-03-28T17:00", "2026-03-28T17:00", "2026-03-29T01:00"),
        (NEW_YORK, "02:30-04:00", "2026-03-08T01:00", "2026-03-08T07:00", "2026-03-08T08:00"),
        (NEW_YORK, "18:00-02:00", "2026-03-07T17:00", "2026-03-07T23:00", "2026-03-08T07:00"),
        # The repeated hour: from the first time to the last.
        (BERLIN, "01:30-04:00", "2026-10-25T01:00", "2026-10-24T23:30", "2026-10-25T03:00"),
        (BERLIN, "02:30-04:00", "2026-10-25T01:00", "2026-10-25T00:30", "2026-10-25T03:00"),
        (BERLIN, "01:00-02:30", "2026-10-25T00:30", "2026-10-24T23:00", "2026-10-25T01:30"),
        (BERLIN, "18:00-02:30", "2026-10-24T17:00", "2026-10-24T16:00", "2026-10-25T01:30"),
        (NEW_YORK, "00:30-01:30", "2026-11-01T00:00", "2026-11-01T04:30", "2026-11-01T06:30"),
        (NEW_YORK, "01:30-06:00", "2026-11-01T00:00", "2026-11-01T05:30", "2026-11-01T11:00"),
    ],
)
def test_clock_changes_do_not_move_opening_and_closing(zone, hours, around, opens, closes):
    shop, before = every_day(hours, zone=zone), local(around, zone)

    assert shop.next_change(before) == utc(opens)
    assert shop.is_open(utc(opens))
    assert shop.next_change(utc(opens)) == utc(closes)
    assert not shop.is_open(utc(closes))


def test_an_interval_within_the_skipped_hour_does_not_open_that_day():
    shop = every_day("02:15-02:45", zone=BERLIN)

    assert shop.next_change(local("2026-03-28T12:00", BERLIN)) == utc("2026-03-30T00:15")


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("hours", [("00:00-00:00",), ("06:00-06:00",), ("00:00-12:00", "12:00-00:00"), ()])
def test_a_site_that_never_closes_has_no_next_change(zone, hours):
    shop = every_day(*hours, zone=zone) if hours else Hours(zone)

    for day in range(0, 366, 30):
        at = utc("2026-01-01T00:30") + timedelta(days=day)
        assert shop.is_open(at)
        assert shop.next_change(at) is None


def test_adjacent_days_are_one_interval():
    shop = Hours(TOKYO, {SATURDAY: ALL_DAY, SUNDAY: (span("00:00-12:00"),)})

    assert shop.next_change(local("2026-11-28T10:00", TOKYO)) == local("2026-11-29T12:00", TOKYO)


def test_an_omitted_weekday_is_closed():
    shop = Hours(TOKYO, {MONDAY: (span("09:00-18:00"),)})

    assert not shop.is_open(local("2026-11-24T12:00", TOKYO))
    assert shop.next_change(local("2026-11-23T18:00", TOKYO)) == local("2026-11-30T09:00", TOKYO)


HOLIDAY = date(2026, 11, 23)  # Labour Thanksgiving Day, a Monday


@pytest.mark.parametrize(
    ("on_holidays", "at", "is_open"),
    [
        (None, "2026-11-23T12:00", True),
        ((), "2026-11-23T12:00", False),
        ((), "2026-11-24T12:00", True),
        ((span("12:00-15:00"),), "2026-11-23T11:00", False),
        ((span("12:00-15:00"),), "2026-11-23T14:00", True),
    ],
)
def test_a_holiday_follows_the_setting_of_the_site(on_holidays, at, is_open):
    shop = every_day("09:00-18:00", holidays={HOLIDAY}, on_holidays=on_holidays)

    assert shop.is_open(local(at, TOKYO)) is is_open


def test_the_evening_before_a_holiday_is_not_cut_short():
    shop = every_day("18:00-02:00", holidays={HOLIDAY}, on_holidays=())

    assert shop.next_change(local("2026-11-22T20:00", TOKYO)) == local("2026-11-23T02:00", TOKYO)
    assert shop.next_change(local("2026-11-23T02:00", TOKYO)) == local("2026-11-24T18:00", TOKYO)


@pytest.mark.parametrize(
    ("own", "at", "is_open"),
    [((), "2026-11-23T12:00", False), ((span("20:00-22:00"),), "2026-11-23T21:00", True)],
)
def test_a_special_day_overrides_the_week_and_the_holiday(own, at, is_open):
    shop = every_day("09:00-18:00", holidays={HOLIDAY}, on_holidays=ALL_DAY, special_days={HOLIDAY: own})

    assert shop.is_open(local(at, TOKYO)) is is_open


def test_a_site_without_hours_can_have_closing_days():
    shop = Hours(TOKYO, special_days={HOLIDAY: ()})

    assert shop.next_change(local("2026-11-20T12:00", TOKYO)) == local("2026-11-23T00:00", TOKYO)
    assert shop.opens_at(local("2026-11-23T12:00", TOKYO)) == local("2026-11-24T00:00", TOKYO)


def test_a_permanently_closed_site_is_checked_again_in_a_year():
    shop, at = Hours(TOKYO, {MONDAY: ()}), local("2026-11-23T12:00", TOKYO)

    assert shop.next_change(at) is None
    assert shop.opens_at(at) == at + HORIZON


@pytest.mark.parametrize(
    ("since", "minutes", "due"),
    [
        ("2026-11-23T12:00", 0, "2026-11-23T12:00"),
        ("2026-11-23T12:00", 10, "2026-11-23T12:10"),
        ("2026-11-23T17:55", 10, "2026-11-24T09:05"),
        ("2026-11-23T03:00", 0, "2026-11-23T09:00"),
        ("2026-11-23T03:00", 10, "2026-11-23T09:10"),
        ("2026-11-23T18:00", 0, "2026-11-24T09:00"),
        ("2026-11-23T12:00", 20 * 60, "2026-11-25T14:00"),
    ],
)
def test_only_open_hours_count(since, minutes, due):
    shop = every_day("09:00-18:00")

    assert shop.lasted(local(since, TOKYO), timedelta(minutes=minutes)) == local(due, TOKYO)


WHOLE_SECONDS = st.times().map(lambda at: at.replace(microsecond=0))


@given(
    zone=st.sampled_from(ZONES),
    spans=st.lists(st.builds(OpenInterval, WHOLE_SECONDS, WHOLE_SECONDS), max_size=3),
    seconds=st.integers(0, 366 * 86_400),
)
def test_the_next_change_is_the_first_time_with_another_state(zone, spans, seconds):
    shop = Hours(zone, {weekday: tuple(spans) for weekday in range(7)})
    at = utc("2026-01-01T00:00") + timedelta(seconds=seconds)

    change = shop.next_change(at)

    if change is not None:
        assert change > at
        assert shop.is_open(change) is not shop.is_open(at)
        assert shop.is_open(at + (change - at) / 2) is shop.is_open(at)


@given(
    zone=st.sampled_from(ZONES),
    wall=st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01")),
)
def test_a_local_time_is_converted_or_skipped(zone, wall):
    wall = wall.replace(microsecond=0)

    first, last = instant(wall, zone), instant(wall, zone, last=True)

    assert first <= last
    if local_time(first, zone) == wall:
        assert local_time(last, zone) == wall
    else:
        assert first == last
        assert local_time(first - timedelta(seconds=1), zone) < wall < local_time(first, zone)
