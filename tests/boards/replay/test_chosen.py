from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict

from tms.boards.replay.chosen import ChosenInstant, WrongInstant, query_of

NOW = datetime(2026, 11, 28, 9, 0, 0, 500_000, UTC)
EARLIEST = NOW - timedelta(days=30)
NIGHT = datetime(2026, 11, 27, 18, 12, tzinfo=UTC)


def chosen(query: str) -> ChosenInstant:
    return ChosenInstant.of(QueryDict(query), earliest=EARLIEST, now=NOW)


@pytest.mark.parametrize(
    "query",
    [
        "at=2026-11-27T18:12:00Z",
        "at=2026-11-28T03:12:00%2B09:00",
        "at=2026-11-28T03:12:00+09:00",  # typed by hand: a plus sign is a space
        "at=2026-11-28T03:12&zone=Asia/Tokyo",
        "at=2026-11-27T18:12:00.900Z",
    ],
)
def test_an_instant_has_an_offset_or_a_zone_beside_it(query):
    assert chosen(query).at == NIGHT


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("at=", "time zone"),
        ("at=yesterday", "time zone"),
        ("at=2026-11-28T03:12", "time zone"),
        ("at=2026-11-28", "time zone"),
        ("at=9999-12-31T23:59:59Z", "time zone"),
        ("at=0001-01-01T00:00:00%2B14:00", "time zone"),
        (f"at={'1' * 100_000}", "time zone"),
        ("at=2026-11-28T09:01:00Z", "future"),
        ("at=2026-10-01T00:00:00Z", "Nothing was recorded"),
    ],
)
def test_other_instants_are_refused_with_the_nearest_that_can_be_shown(query, message):
    with pytest.raises(WrongInstant, match=message) as refused:
        chosen(query)

    assert EARLIEST <= refused.value.nearest <= NOW


def test_a_link_to_an_event_within_a_second_includes_the_event():
    event = NIGHT + timedelta(milliseconds=300)

    assert chosen(query_of(event)).at == NIGHT + timedelta(seconds=1)
    assert chosen(query_of(NIGHT)).at == NIGHT
    assert chosen(query_of(NOW)).at <= NOW


def test_an_unknown_range_is_a_day():
    assert chosen("at=2026-11-27T18:12:00Z&range=8h").query == "at=2026-11-27T18:12:00Z&range=8h"
    assert chosen("at=2026-11-27T18:12:00Z&range=9y").query == "at=2026-11-27T18:12:00Z"
