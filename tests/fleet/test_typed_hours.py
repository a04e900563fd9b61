"""Opening hours as people type them."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.fleet.sites.typed_hours import UnreadableHours, format_hours, parse_hours
from tms.lib.calendar.opening_hours import ALL_DAY, OpenInterval


def span(opens: str, closes: str) -> OpenInterval:
    return OpenInterval(time.fromisoformat(opens), time.fromisoformat(closes))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("10-20", (span("10:00", "20:00"),)),
        ("9:30 - 14:00", (span("09:30", "14:00"),)),
        ("0930-1400", (span("09:30", "14:00"),)),
        ("9:30-14, 17-23", (span("09:30", "14:00"), span("17:00", "23:00"))),
        ("17-23 9:30-14", (span("09:30", "14:00"), span("17:00", "23:00"))),
        ("18-2", (span("18:00", "02:00"),)),
        ("10-14、18-2", (span("10:00", "14:00"), span("18:00", "02:00"))),
        ("4:30-24:00", (span("04:30", "00:00"),)),
        ("１０：００〜２０：００", (span("10:00", "20:00"),)),
        ("24h", ALL_DAY),
        ("終日", ALL_DAY),
        ("0-24", ALL_DAY),
        ("closed", ()),
        ("定休日", ()),
    ],
)
def test_hours_are_read_as_people_type_them(text, spans):
    assert parse_hours(text) == spans


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ten to eight", "Enter times such as 10-20"),
        ("10-", "Enter times such as 10-20"),
        ("10-20 sometimes", "Enter times such as 10-20"),
        ("10-25", "25:00 is not a time of day"),
        ("10:75-20", "10:75 is not a time of day"),
        ("10-15, 14-20", "10:00-15:00 and 14:00-20:00 overlap"),
        ("18-2, 20-21", "18:00-02:00 and 20:00-21:00 overlap"),
        ("10-14, 10-14", "overlap"),
    ],
)
def test_what_cannot_be_read_says_what_would_be_right(text, says):
    with pytest.raises(UnreadableHours, match=says):
        parse_hours(text)


@given(st.lists(st.times(), min_size=2, max_size=6, unique=True).map(sorted))
def test_hours_survive_being_shown_and_typed_again(times):
    whole_minutes = sorted({one.replace(second=0, microsecond=0) for one in times})
    spans = tuple(OpenInterval(*pair) for pair in zip(whole_minutes[::2], whole_minutes[1::2], strict=False))

    assert parse_hours(format_hours(spans)) == spans
