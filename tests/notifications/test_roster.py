"""Who is on call when, in the local time of the rotation."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.notifications.rotations.roster import CoverInterval, Roster

AIKO, REN, MEI = 1, 2, 3
NINE = time(9)


def roster(zone: str = "Asia/Tokyo", starts_on: date = date(2026, 3, 2), **fields) -> Roster:
    """Starting on a Monday."""
    fields = {"people": (AIKO, REN, MEI), "handover_at": NINE} | fields
    return Roster(ZoneInfo(zone), starts_on, **fields)


def wall(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-03-02T08:59:59", None),
        ("2026-03-02T09:00:00", AIKO),
        ("2026-03-09T08:59:59", AIKO),
        ("2026-03-09T09:00:00", REN),
        ("2026-03-16T09:00:00", MEI),
        ("2026-03-23T09:00:00", AIKO),
        ("2027-03-01T09:00:00", REN),
    ],
)
def test_people_have_weekly_shifts(at, who):
    assert roster().on_call(wall("Asia/Tokyo", at)).person == who


HANDOVERS = [
    # zone, starts on, handover at, every days, weekdays, instants of the first handovers
    ("Asia/Tokyo", date(2026, 3, 2), NINE, 1, (), ["03-02T00:00", "03-03T00:00", "03-04T00:00"]),
    ("Asia/Tokyo", date(2026, 3, 2), NINE, 14, (), ["03-02T00:00", "03-16T00:00", "03-30T00:00"]),
    # Monday and Friday
    ("Asia/Tokyo", date(2026, 3, 2), NINE, 7, (4, 0), ["03-02T00:00", "03-06T00:00", "03-09T00:00"]),
    # starting on a Wednesday, the first handover is on Friday
    ("Asia/Tokyo", date(2026, 3, 4), NINE, 7, (0, 4), ["03-06T00:00", "03-09T00:00", "03-13T00:00"]),
    # clocks skip an hour on 29 March in Berlin and on 8 March in New York
    ("Europe/Berlin", date(2026, 3, 23), NINE, 7, (), ["03-23T08:00", "03-30T07:00", "04-06T07:00"]),
    ("America/New_York", date(2026, 3, 2), NINE, 7, (), ["03-02T14:00", "03-09T13:00", "03-16T13:00"]),
    # they skip the time of the handover
    ("Europe/Berlin", date(2026, 3, 28), time(2, 30), 1, (), ["03-28T01:30", "03-29T01:00", "03-30T00:30"]),
    ("America/New_York", date(2026, 3, 7), time(2, 30), 1, (), ["03-07T07:30", "03-08T07:00", "03-09T06:30"]),
    # they repeat it: the first time counts
    ("Europe/Berlin", date(2026, 10, 24), time(2, 30), 1, (), ["10-24T00:30", "10-25T00:30", "10-26T01:30"]),
    ("America/New_York", date(2026, 10, 31), time(1, 30), 1, (), ["10-31T05:30", "11-01T05:30", "11-02T06:30"]),
]


@pytest.mark.parametrize(("zone", "starts_on", "handover_at", "every_days", "weekdays", "instants"), HANDOVERS)
def test_handovers_are_at_their_local_time(zone, starts_on, handover_at, every_days, weekdays, instants):
    rota = roster(zone, starts_on, handover_at=handover_at, every_days=every_days, weekdays=weekdays)
    expected = [datetime.fromisoformat(f"2026-{instant}:00").replace(tzinfo=UTC) for instant in instants]

    shifts = list(rota.shifts(expected[0], expected[-1] + timedelta(seconds=1)))

    assert [shift.since for shift in shifts] == expected
    assert [shift.person for shift in shifts] == [AIKO, REN, MEI]
    for instant, before, after in zip(expected[1:], (AIKO, REN), (REN, MEI), strict=True):
        assert rota.on_call(instant - timedelta(seconds=1)).person == before
        assert rota.on_call(instant).person == after


def test_an_override_takes_precedence_over_the_shift_and_the_newest_over_others():
    noon = wall("Asia/Tokyo", "2026-03-03T12:00")
    hour = timedelta(hours=1)
    rota = roster(covers=(CoverInterval(REN, noon, noon + 4 * hour), CoverInterval(MEI, noon + hour, noon + 2 * hour)))

    shifts = list(rota.shifts(noon - hour, noon + 5 * hour))

    assert [(shift.person, shift.is_cover) for shift in shifts] == [
        (AIKO, False),
        (REN, True),
        (MEI, True),
        (REN, True),
        (AIKO, False),
    ]
    assert [shift.until for shift in shifts[:-1]] == [noon, noon + hour, noon + 2 * hour, noon + 4 * hour]


def test_an_override_may_begin_before_the_rotation_and_last_across_a_handover():
    handover = wall("Asia/Tokyo", "2026-03-02T09:00")
    rota = roster(covers=(CoverInterval(MEI, handover - timedelta(hours=1), handover + timedelta(hours=1)),))

    [vacant, cover, first] = rota.shifts(handover - timedelta(hours=2), handover + timedelta(hours=2))

    assert (vacant.person, cover.person, first.person) == (None, MEI, AIKO)
    assert cover.until - cover.since == timedelta(hours=2)


def test_without_members_no_one_is_on_call():
    assert roster(people=()).on_call(wall("Asia/Tokyo", "2026-05-01T12:00")).person is None


def test_a_single_member_is_always_on_call_without_a_change():
    at = wall("Asia/Tokyo", "2026-05-01T12:00")

    assert len(list(roster(people=(AIKO,)).shifts(at, at + timedelta(days=28)))) == 1


ZONES = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
ROSTERS = st.builds(
    roster,
    zone=ZONES,
    starts_on=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    handover_at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    every_days=st.integers(1, 28),
    weekdays=st.sets(st.integers(0, 6)).map(tuple),
)
INSTANTS = st.integers(0, 540 * 24 * 60).map(
    lambda minutes: datetime(2025, 12, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(rota=ROSTERS, at=INSTANTS)
def test_shifts_neither_overlap_nor_leave_a_gap_and_agree_with_single_queries(rota, at):
    shifts = list(rota.shifts(at, at + timedelta(days=60)))

    assert shifts[0].since <= at < shifts[0].until
    assert shifts[-1].until >= at + timedelta(days=60)
    assert all(before.until == after.since for before, after in pairwise(shifts))
    for shift in shifts:
        assert rota.on_call(max(at, shift.since)).person == shift.person
        assert rota.on_call(shift.until - timedelta(seconds=1)).person == shift.person
