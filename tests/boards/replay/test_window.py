from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tms.boards.replay.chosen import ChosenInstant
from tms.boards.replay.window import ticks, window_of

AT = datetime(2026, 11, 27, 18, 12, tzinfo=UTC)
NOW = AT + timedelta(days=9)


@pytest.mark.parametrize(
    ("zone", "chosen", "since", "hours"),
    [
        ("Asia/Tokyo", "1h", "2026-11-28T03:00", 1),
        ("Asia/Kolkata", "1h", "2026-11-27T23:00", 1),
        ("Asia/Tokyo", "8h", "2026-11-28T00:00", 8),
        ("Asia/Tokyo", "24h", "2026-11-28T00:00", 24),
        ("Asia/Tokyo", "7d", "2026-11-24T00:00", 168),
        ("Asia/Tokyo", "30d", "2026-11-08T00:00", 720),
        ("Asia/Tokyo", "1y", "2025-12-08T00:00", 8_760),
    ],
)
def test_a_window_begins_at_a_round_time_of_the_reader(zone, chosen, since, hours):
    with timezone.override(ZoneInfo(zone)):
        window = window_of(ChosenInstant(AT, chosen), now=NOW)

        assert f"{timezone.localtime(window.since):%Y-%m-%dT%H:%M}" == since
    assert window.until - window.since == timedelta(hours=hours)
    assert window.since <= AT < window.until


@pytest.mark.parametrize("chosen", ["1h", "8h", "24h", "7d", "30d", "1y"])
def test_a_window_stays_while_the_instant_moves_within_it(chosen):
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        window = window_of(ChosenInstant(AT, chosen), now=NOW)
        within = [window.since, AT, min(window.until, NOW) - timedelta(seconds=1)]

        assert {window_of(ChosenInstant(at, chosen), now=NOW)[:2] for at in within} == {window[:2]}


def test_a_day_on_which_the_clocks_change_is_whole():
    with timezone.override(ZoneInfo("Europe/Berlin")):
        window = window_of(ChosenInstant(datetime(2026, 10, 25, 12, tzinfo=UTC)), now=NOW)

    assert window.until - window.since == timedelta(hours=25)


def test_nothing_after_the_present_can_be_chosen():
    now = AT + timedelta(minutes=5)

    window = window_of(ChosenInstant(AT), now=now)

    assert window.limit == now < window.until


def test_the_axis_names_both_ends():
    window = window_of(ChosenInstant(AT), now=NOW)

    shown = [tick.at for tick in ticks(window, ChosenInstant(AT))]

    assert (shown[0], shown[-1]) == (window.since, window.until)
    assert {later - earlier for earlier, later in pairwise(shown)} == {timedelta(hours=3)}
