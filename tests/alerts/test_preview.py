"""The preview of a rule on stored data."""

from datetime import time, timedelta

import pytest

from tests.support import factories
from tests.support.builders import AT, Fleet, later
from tms.alerts.models import Rule
from tms.alerts.preview import preview as previews
from tms.alerts.preview.preview import preview
from tms.fleet.models import Cause, Presence
from tms.telemetry.rollups import hourly

pytestmark = [pytest.mark.both, pytest.mark.embedded]


def fired(rule: Rule, *, since: float = 0, until: float = 86_400) -> list[tuple[str, float, float | None]]:
    """Severity, opened and ended, in seconds."""
    found = preview(rule, since=later(since), until=later(until)).alerts
    return [
        (one.severity, (one.opened_at - AT).total_seconds(), one.ended_at and (one.ended_at - AT).total_seconds())
        for one in found
    ]


def unsaved(**fields) -> Rule:
    return Rule(**{"name": "New", "severity": "warning"} | fields)


def hot(**fields) -> Rule:
    return unsaved(**{"kind": "metric", "metric": "temperature_c", "comparison": "above", "limit": 60.0} | fields)


def readings(terminal, values: dict[float, float], metric: str = "temperature_c") -> None:
    for number, (second, value) in enumerate(values.items()):
        factories.report(terminal, number, at=later(second), metrics={metric: value} if value is not None else {})


@pytest.mark.parametrize("is_rolled_up", [False, True])
def test_readings_trigger_as_they_would_have_live(fleet: Fleet, is_rolled_up, monkeypatch):
    readings(fleet.online(), {0: 50, 600: 70, 660: 80, 720: 55, 7200: 50, 7260: 61, 7300: 40, 20_000: 65})
    readings(fleet.online(), dict.fromkeys(range(0, 20_000, 1000), 50.0))
    if is_rolled_up:
        while hourly.roll_next(later(86_400)):
            pass
        monkeypatch.setattr(previews, "MAX_ROWS", 20)

    thresholds = [{"severity": "critical", "limit": 75}]
    result = fired(hot(higher_thresholds=thresholds, hysteresis=2), until=21_000)

    assert result == [("critical", 600, 720), ("warning", 7260, 7300), ("warning", 20_000, None)]


def test_a_preview_shows_the_peak_and_ignores_late_reports(fleet):
    terminal = fleet.online()
    readings(terminal, {0: 70, 60: 90, 120: 65, 180: 50})
    factories.report(terminal, 99, at=later(90), metrics={"temperature_c": 200.0}, late=True)

    (simulated,) = preview(hot(), since=AT, until=later(600)).alerts

    assert (simulated.highest, simulated.terminal_id) == (90, terminal.pk)


def test_other_thresholds_are_evaluated_for_each_report(fleet):
    readings(fleet.online(), {0: 40, 60: 41, 120: 50, 180: 51, 240: 51})
    rising = hot(comparison="rising", limit=5.0, window_s=60.0)
    missing = hot(comparison="absent", metric="paper_pct", limit=100.0)

    assert fired(rising) == [("warning", 120, 180)]
    assert fired(missing) == [("warning", 120, None)]


def test_a_wrong_clock_is_found_by_the_arrival_of_reports(fleet):
    report = factories.report(fleet.online(), 1, at=AT, metrics={})
    type(report).objects.update(received_at=later(100))

    assert fired(unsaved(kind="clock", limit=60.0)) == [("warning", 100, None)]


def test_presence_triggers_after_the_duration(fleet):
    terminal = fleet.online()
    for second, before, presence in [(0, "online", "offline"), (50, "offline", "online"), (100, "online", "offline")]:
        factories.moved(terminal, before, presence, at=later(second), cause=Cause.LEASE_RAN_OUT)

    rule = unsaved(kind="presence", presence=Presence.OFFLINE.value, duration_s=60)

    assert fired(rule) == [("", 160, None)]


def test_events_trigger_until_they_clear_or_expire(fleet):
    terminal = fleet.online()
    for second, code in [(0, "jam"), (50, "jam_ok"), (100, "jam"), (130, "jam"), (900, "jam"), (905, "noise")]:
        factories.event(terminal, code, at=later(second))

    rule = unsaved(kind="event", event_code="jam", clear_code="jam_ok", clear_after_s=60)

    assert fired(rule) == [("", 0, 50), ("", 100, 190), ("", 900, 960)]


def test_a_preview_is_of_the_scope_of_the_rule(fleet):
    here, there = fleet.online(model="PX-300"), fleet.online(site=fleet.site("OSK"), model="PX-300")
    other = fleet.online(model="PX-400")
    for terminal in (here, there, other):
        readings(terminal, {0: 70})

    found = preview(hot(model="PX-300", group=fleet.group("Lobby", here, other)), since=AT, until=later(60))

    assert [one.terminal_id for one in found.alerts] == [here.pk]
    assert (found.terminals, found.is_sample) == (1, False)


def test_of_a_large_fleet_a_sample_is_read_and_noted(fleet, monkeypatch):
    monkeypatch.setattr(previews, "MAX_TERMINALS", 4)
    for terminal in fleet.terminals(10, presence=Presence.ONLINE):
        readings(terminal, {0: 70})

    found = preview(hot(), since=AT, until=later(60))

    assert (found.terminals, len(found.evaluated), len(found.alerts), found.is_sample) == (10, 4, 4, True)


def test_too_many_rows_are_cut_off_and_noted(fleet, monkeypatch):
    monkeypatch.setattr(previews, "MAX_ROWS", 3)
    readings(fleet.online(), dict.fromkeys(range(10), 70))

    assert preview(hot(), since=AT, until=AT + timedelta(hours=1)).is_cut


def test_a_firmware_rule_shows_the_terminals_that_match_now(fleet):
    fleet.online(firmware="2.0")
    old = fleet.online(firmware="1.0")

    found = preview(unsaved(kind="firmware", firmware="2.0"), since=AT, until=later(60))

    assert list(found.matching_now) == [old.pk]


def test_a_rule_of_opening_hours_counts_only_those_of_the_site(fleet):
    """It is 18:00 in Tokyo, and the site closes at 18:02 and opens at 09:00."""
    site = fleet.site()
    for weekday in range(7):
        site.opening_hours.create(weekday=weekday, opens_at=time(9), closes_at=time(18, 2))
    factories.moved(fleet.online(site=site), "online", "offline", at=AT, cause=Cause.LEASE_RAN_OUT)
    away = unsaved(kind="presence", presence=Presence.OFFLINE.value, duration_s=300, hours="open")

    assert fired(away) == [("", 15 * 3600 + 180, None)]
