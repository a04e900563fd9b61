"""The geometry of a picture of days."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tms.lib.calendar.dates import shown_days
from tms.lib.calendar.timeline import NARROW, NARROWEST, WIDE, StripSize, Timeline, TimelineBar, TimelineLane

BERLIN = ZoneInfo("Europe/Berlin")
SIZE = StripSize(width=702, labels=0, days=7)
"""100 pixels a day."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def drawn(*times: tuple[str, str]):
    """The strip of the week in which clocks in Berlin change, on Sunday 2026-03-29."""
    lane = TimelineLane("Night", "", [TimelineBar(at(since), at(until), "Sato", "shift") for since, until in times])
    timeline = Timeline([lane], date(2026, 3, 23), 7, BERLIN, at("2026-03-24T12:00"))
    [strip] = timeline.strips(SIZE)
    return strip


@pytest.mark.parametrize(
    ("since", "until", "x", "width"),
    [
        ("2026-03-23T00:00", "2026-03-24T00:00", 2, 96),
        ("2026-03-28T12:00", "2026-03-30T00:00", 552, 146),
        ("2026-03-20T00:00", "2026-03-23T12:00", 2, 46),
        ("2026-03-29T18:00", "2026-04-20T00:00", 677, 21),
        ("2026-03-25T10:00", "2026-03-25T10:10", 243.7, NARROWEST),
    ],
)
def test_a_bar_is_as_long_as_on_the_clocks(since, until, x, width):
    [bar] = drawn((since, until)).lanes[0].bars

    assert (bar.x, bar.width) == pytest.approx((x, width), abs=0.11)


def test_bars_outside_are_not_drawn_and_now_is_a_line():
    strip = drawn(("2026-03-01T00:00", "2026-03-23T00:00"), ("2026-03-30T00:00", "2026-03-31T00:00"))

    assert strip.lanes[0].bars == []
    assert strip.now_x == 150
    assert [day.on.day for day in strip.days if day.is_today] == [24]


def test_a_phone_shows_a_week_in_each_strip():
    timeline = Timeline([], date(2026, 3, 23), 28, BERLIN, datetime(2026, 4, 7, tzinfo=UTC))

    assert [strip.days[0].on.day for strip in timeline.strips(WIDE)] == [23, 6]
    assert [strip.days[0].on.day for strip in timeline.strips(NARROW)] == [23, 30, 6, 13]
    assert [strip.now_x is not None for strip in timeline.strips(NARROW)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "first"),
    [("2026-05-01", "2026-05-01"), ("", "2026-03-23"), ("x", "2026-03-23"), ("0001-01-01", "2026-03-23")],
)
def test_a_calendar_begins_with_the_day_of_its_address_or_with_monday(text, first):
    days = shown_days(text, number=14, today=date(2026, 3, 25))

    assert days.first.isoformat() == first
    assert days.later.startswith("?from=2026-")
