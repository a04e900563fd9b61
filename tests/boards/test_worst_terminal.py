"""No page exceeds 1 MB, with any data of a terminal, including more metrics than a report may have."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.builders import Fleet
from tests.support.database.shared_rows import shared_rows
from tests.support.factories import now
from tms.commands.models import Command
from tms.fleet.models import Terminal, TerminalState
from tms.protocol import limits
from tms.telemetry.history.series import SPANS
from tms.telemetry.models import Boot, Event, Report, Rollup, RollupMark
from tms.telemetry.rollups import hourly

pytestmark = pytest.mark.both

MOST_BYTES = 1_000_000
LONG = "'" * limits.TEXT_LENGTH
"""Each of these takes six bytes in HTML."""
NAME = "\U00020bb7" * limits.NAME_LENGTH
NAMES = 2_000
"""Number of metrics: more than the protocol allows."""


def name(number: int) -> str:
    return f"m{number}".ljust(64, "x")


@pytest.fixture(scope="module")
def worst(django_db_setup, django_db_blocker) -> Iterator[Terminal]:
    with shared_rows(django_db_blocker):
        yield make_worst(Fleet())


def make_worst(fleet: Fleet) -> Terminal:
    terminal = fleet.online(uid="T-" + "9" * 62, at=now())
    Terminal.objects.filter(pk=terminal.pk).update(
        **{
            field: NAME[: Terminal._meta.get_field(field).max_length]
            for field in ("serial", "model", "firmware", "agent")
        }
    )
    at, each = now(), limits.METRICS_PER_REPORT
    TerminalState.objects.filter(pk=terminal.pk).update(
        metrics={name(number): -123456789012345.678 for number in range(limits.METRIC_NAMES)}
    )
    for number in range(600):
        metrics = {name((number * each + position) % NAMES): -123456789012345.678 for position in range(each)}
        factories.report(terminal, number + 1, at=at - timedelta(seconds=3 * number), metrics=metrics)
    hour = hourly.hour_of(at)
    values = {"count": 1, "total": 1e15 / 3, "lowest": -1e15 / 3, "highest": 1e15 / 3, "last": 1.0}
    Rollup.objects.bulk_create(
        Rollup(terminal=terminal, hour=hour - timedelta(hours=hours), metric=name(position), **values)
        for hours in range(24 * 30)
        for position in range(0, limits.METRIC_NAMES, 4)
    )
    RollupMark.objects.create(pk=1, hour=hour)
    Event.objects.bulk_create(
        Event(terminal=terminal, at=at, code="c" * 64, severity="critical", text=LONG, late=True, undated=True)
        for _ in range(200)
    )
    Boot.objects.bulk_create(
        Boot(terminal=terminal, boot_id=f"{number}".ljust(64, "'"), first_seen_at=at) for number in range(100)
    )
    for _ in range(20):
        Command.objects.create(
            terminal=terminal,
            name="ping",
            args={},
            state="done",
            created_at=at,
            deliver_before=at,
            result={"lines": ["'" * 60_000]},
            error=LONG,
        )
    return terminal


def test_no_page_of_the_worst_terminal_exceeds_1_mb(browser, worst):
    pages = [worst.get_absolute_url(), f"{worst.get_absolute_url()}?show=events", "/", "/terminals/", "/alerts/"]
    spans = [f"{worst.get_absolute_url()}?span={span}" for span in SPANS]

    sizes = {address: len(browser.get(address).content) for address in (*pages, *spans)}

    assert {address: size for address, size in sizes.items() if size > MOST_BYTES} == {}


def test_no_chart_of_the_worst_terminal_exceeds_1_mb_and_omitted_metrics_are_named(browser, worst):
    """One test for all spans, because creating this terminal takes seconds."""
    charts = {span: browser.get(f"{worst.get_absolute_url()}series/?span={span}").content for span in SPANS}

    assert {span: len(chart) for span, chart in charts.items() if len(chart) > MOST_BYTES} == {}
    for chart in charts.values():
        drawn = json.loads(chart, parse_constant=pytest.fail)
        assert drawn["metrics"]
        assert len(drawn["metrics"]) + len(drawn["omitted"]) <= limits.METRIC_NAMES


def test_metrics_of_rules_are_drawn_first(browser, worst, fleet):
    watched = name(limits.METRIC_NAMES - 4)
    fleet.metric_rule(metric=watched)

    drawn = browser.get(f"{worst.get_absolute_url()}series/?span=30d").json()

    assert next(iter(drawn["metrics"])) == watched
    assert drawn["omitted"]


def test_a_value_from_before_the_limit_is_shown_in_short_form(browser, fleet):
    terminal = fleet.online(at=now())
    TerminalState.objects.filter(pk=terminal.pk).update(metrics={"hot_c": 1.7e308})
    Report.objects.all().delete()

    assert "1.7e+308 °C" in browser.get(terminal.get_absolute_url()).content.decode()
