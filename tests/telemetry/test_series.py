"""The data of a chart: a terminal's readings and presence."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from tests.support import factories
from tests.support.builders import AT, later
from tms.fleet.models import Presence, Terminal, TerminalState
from tms.protocol.limits import METRIC_NAMES
from tms.telemetry.history import presence_intervals, series
from tms.telemetry.history.presence_intervals import PresenceInterval
from tms.telemetry.history.series import SPANS, ChartRange, Readings
from tms.telemetry.models import Report, Rollup, RollupMark
from tms.telemetry.rollups import buckets, hourly

pytestmark = [pytest.mark.both, pytest.mark.embedded]

HOUR = timedelta(hours=1)


@pytest.fixture
def terminal(fleet) -> Terminal:
    return fleet.terminal()


def roll_up(terminal: Terminal, *, until: datetime, hours: int = 24) -> None:
    for ago in range(1, hours + 1):
        hourly.roll([terminal.pk], until - ago * HOUR)
    RollupMark.objects.create(pk=1, hour=until)


def reported(terminal: Terminal, *readings: tuple[float, float]) -> None:
    """Temperatures, by the number of hours before AT."""
    for seq, (hours, value) in enumerate(readings, start=1):
        factories.report(terminal, seq, at=AT - hours * HOUR, metrics={"temperature_c": value})


def drawn(terminal: Terminal, span: str) -> Readings:
    return series.readings(terminal, SPANS[span], at=AT)


def epoch(at: datetime) -> int:
    return int(at.timestamp())


def test_long_ranges_have_the_mean_and_the_range_of_each_hour(terminal):
    reported(terminal, (5.5, 60), (5.25, 70), (5.1, 80), (2.5, 50))
    roll_up(terminal, until=AT)
    Report.objects.all().delete()  # the chart uses the roll-ups

    assert drawn(terminal, "7d") == Readings(
        at=[epoch(AT - 6 * HOUR), epoch(AT - 3 * HOUR)],
        metrics={"temperature_c": [70, 50]},
        late=[0, 0],
        lowest={"temperature_c": [60, 50]},
        highest={"temperature_c": [80, 50]},
    )


@pytest.fixture
def few_reports(monkeypatch):
    """A chart of 30 minutes reads at most two reports in each quarter of an hour if there are more than five."""
    for name, number in {"MAX_REPORTS": 5, "SLICES": 2, "REPORTS_OF_SLICE": 2}.items():
        monkeypatch.setattr(buckets, name, number)


@pytest.mark.parametrize("span", ["30m", "7d"])
def test_of_very_many_reports_a_chart_reads_some_in_each_slice_of_time(terminal, few_reports, span):
    RollupMark.objects.create(pk=1, hour=AT - timedelta(minutes=30))
    reported(terminal, *((0.4 - 0.01 * number, number) for number in range(4)), (0.2, 50), (0.1, 60), (0.05, 70))

    found = drawn(terminal, span)

    values = [value for value in found.metrics["temperature_c"] if value is not None]
    assert values == ([0, 1, 50, 60] if span == "30m" else [27.75])


def test_a_chart_reads_all_reports_up_to_the_limit(terminal, few_reports):
    reported(terminal, *((0.4 - 0.01 * number, number) for number in range(5)))

    assert drawn(terminal, "30m").metrics["temperature_c"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("span", ["7d", "30d", "1y"])
@pytest.mark.parametrize("hours", [0, 3, 24])
def test_a_chart_does_not_depend_on_how_much_of_it_is_rolled_up(terminal, span, hours):
    reported(terminal, *((0.37 * n, (n * 37) % 50) for n in range(60)))
    RollupMark.objects.create(pk=1, hour=AT - 25 * HOUR)
    from_reports = drawn(terminal, span)
    RollupMark.objects.all().delete()

    roll_up(terminal, until=AT - hours * HOUR)

    assert drawn(terminal, span) == from_reports


def test_the_days_of_a_year_begin_at_midnight_in_the_time_zone_of_tms(terminal, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    midnight = datetime(2026, 11, 24, 15, tzinfo=UTC)
    for seq, at in enumerate((midnight - HOUR, midnight, midnight + HOUR), start=1):
        factories.report(terminal, seq, at=at, metrics={"temperature_c": seq})

    found = series.readings(terminal, SPANS["1y"], at=AT)

    assert found.at == [epoch(midnight) - 86_400, epoch(midnight)]
    assert found.metrics == {"temperature_c": [1, 2.5]}


def test_a_report_at_this_moment_is_included_and_future_ones_are_not(terminal):
    for seq, seconds in enumerate((0, 1), start=1):
        factories.report(terminal, seq, at=later(seconds), metrics={"temperature_c": seq})

    assert [drawn(terminal, span).metrics for span in SPANS] == [{"temperature_c": [1]}] * len(SPANS)


def test_short_ranges_have_late_readings_and_no_range(terminal):
    factories.report(terminal, 1, at=later(-60), metrics={"temperature_c": 61}, late=True)
    factories.report(terminal, 2, at=later(-30), metrics={"temperature_c": 62})

    found = drawn(terminal, "30m")

    assert (found.late, found.lowest, found.highest) == ([1, 0], {}, {})


def test_late_readings_without_a_timestamp_are_in_no_chart_and_no_roll_up(terminal):
    readings = {"metrics": {"temperature_c": 99}, "late": True, "undated": True}
    reported(terminal, (1.5, 60), (0.25, 50))
    factories.report(terminal, 3, at=later(-1.5 * 3600), **readings)
    factories.report(terminal, 4, at=later(-60), **readings)

    fresh = [drawn(terminal, span).metrics for span in ("30m", "6h", "7d")]
    newest = series.newest(terminal, SPANS["30m"], limit=5, at=AT)
    roll_up(terminal, until=AT)

    assert fresh == [{"temperature_c": [50]}, {"temperature_c": [60, 50]}, {"temperature_c": [60, 50]}]
    assert [shown["temperature_c"].value for _, shown in newest] == [50, 60]
    assert drawn(terminal, "7d").metrics == {"temperature_c": [60, 50]}


def test_the_newest_are_reports_or_the_hours_of_a_long_range(terminal):
    reported(terminal, (5.5, 60), (5.25, 70), (0.5, 50))

    reports = series.newest(terminal, SPANS["30m"], limit=2, at=AT)
    hours = series.newest(terminal, SPANS["7d"], limit=6, at=AT)

    assert [(at, shown["temperature_c"]) for at, shown in reports] == [
        (AT - 0.5 * HOUR, (50, None, None)),
        (AT - 5.25 * HOUR, (70, None, None)),
    ]
    assert [(at, shown["temperature_c"]) for at, shown in hours] == [
        (AT - HOUR, (50, 50, 50)),
        (AT - 6 * HOUR, (65, 60, 70)),
    ]


def test_presence_has_no_gaps(terminal):
    factories.moved(terminal, Presence.ONLINE, Presence.OFFLINE, at=later(-600))
    factories.moved(terminal, Presence.OFFLINE, Presence.ONLINE, at=later(-60))

    result = presence_intervals.presences(terminal, HOUR, at=AT)

    start, end = (AT - HOUR).timestamp(), AT.timestamp()
    assert result == [
        (start, end - 600, Presence.ONLINE),
        (end - 600, end - 60, Presence.OFFLINE),
        (end - 60, end, Presence.ONLINE),
    ]


@pytest.mark.parametrize(
    ("lengths", "result"),
    [
        ([], []),
        ([10, 10], [(0, 10, "online"), (10, 20, "offline")]),
        ([10, 1, 1, 1, 10], [(0, 10, "online"), (10, 13, "offline"), (13, 23, "online")]),
        ([1, 9, 10], [(0, 10, "offline"), (10, 20, "online")]),
        ([10, 1], [(0, 10, "online"), (10, 11, "offline")]),
    ],
)
def test_very_short_intervals_are_merged_with_their_neighbours_as_the_worst_of_them(lengths, result):
    made, start = [], 0
    for number, length in enumerate(lengths):
        made.append(PresenceInterval(start, start + length, ("online", "offline")[number % 2]))
        start += length

    assert presence_intervals.condensed(made, min_length_s=3) == result


def test_a_terminal_that_flaps_for_a_year_has_a_bounded_number_of_intervals(terminal, monkeypatch):
    monkeypatch.setattr(presence_intervals, "MAX_INTERVALS", 20)
    for number in range(100):
        turn = (Presence.ONLINE, Presence.OFFLINE) if number % 2 else (Presence.OFFLINE, Presence.ONLINE)
        factories.moved(terminal, *turn, at=later(-100 + number))

    result = presence_intervals.presences(terminal, timedelta(seconds=100), at=AT)

    assert len(result) <= 21
    assert (result[0].start, result[-1].end) == (later(-100).timestamp(), AT.timestamp())
    assert all(one.end == next_one.start for one, next_one in pairwise(result))


def test_a_range_without_data_is_empty(terminal):
    found = series.readings(terminal, ChartRange(HOUR, 1), at=timezone.now())

    assert found == Readings([], {}, [], {}, {})


@pytest.mark.parametrize("span", SPANS)
def test_no_chart_has_values_out_of_bounds_or_infinite_ones(terminal, span):
    """The values are as stored before there were limits."""
    for seq in range(1, 5):
        factories.report(terminal, seq, at=AT - timedelta(seconds=seq), metrics={"a": 1.7e308, "b": 20.0})
        rollup = {"count": 2, "lowest": 1.0, "highest": 1.7e308, "total": 1.7e308, "last": 1.0}
        Rollup.objects.create(terminal=terminal, hour=AT - (seq + 1) * HOUR, metric="c", **rollup)
    RollupMark.objects.create(pk=1, hour=AT - HOUR)

    found = drawn(terminal, span)

    assert found.metrics.keys() == {"b"}
    assert series.newest(terminal, SPANS["30m"], limit=1, at=AT)[0][1].keys() == {"b"}


def test_of_too_many_metrics_those_of_the_state_are_drawn(terminal):
    for seq in range(1, 5):
        metrics = {f"m{seq}.{number}": 1.0 for number in range(64)}
        factories.report(terminal, seq, at=AT - timedelta(seconds=seq), metrics=metrics)
    TerminalState.objects.filter(pk=terminal.pk).update(metrics=metrics)

    found = drawn(terminal, "30m").metrics

    assert len(found) == METRIC_NAMES
    assert metrics.keys() <= found.keys()
