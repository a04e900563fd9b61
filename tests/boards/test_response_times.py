import csv
from datetime import timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.boards.past_alerts import past
from tests.support import factories
from tests.support.factories import now
from tms.alerts import lifecycle
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert
from tms.alerts.statistics.response_times import By, Spread, times
from tms.lib.calendar.recurrence import Recurrence

pytestmark = [pytest.mark.both, pytest.mark.embedded]


def line(by, key=""):
    return next(line for line in times(Alert.objects.all()) if (line.by, line.key) == (by, key))


def test_response_times_have_a_mean_a_median_and_a_p90(fleet, sato):
    for seconds in (10, 20, 30, 40, 100):
        past(fleet, now(-3_600), taken_after_s=seconds, lasted_s=2 * seconds, by=sato)

    found = line(By.ALL)

    assert found.time_to_acknowledge == Spread(5, pytest.approx(40), pytest.approx(30), pytest.approx(76))
    assert found.time_to_resolve == Spread(5, pytest.approx(80), pytest.approx(60), pytest.approx(152))


def test_alerts_that_recovered_before_are_counted_separately(fleet, sato):
    past(fleet, now(-600), taken_after_s=10, lasted_s=60, by=sato)
    past(fleet, now(-600), lasted_s=5)
    past(fleet, now(-600))

    found = line(By.ALL)

    assert (found.opened, found.resolved_unacknowledged, found.unacknowledged) == (3, 1, 1)
    assert (found.time_to_acknowledge.number, found.time_to_resolve.number) == (1, 2)


def test_the_first_acknowledgement_counts_even_if_the_alert_was_reopened(fleet, sato, tanaka):
    alert = past(fleet, now(-600), taken_after_s=10, by=sato)
    lifecycle.reopen(Alert.objects.filter(pk=alert.pk), by=sato, comment="", at=now(-500))
    factories.acknowledged(alert, by=tanaka, comment="", at=now(-400))

    assert line(By.ALL).time_to_acknowledge.median_s == pytest.approx(10, abs=0.1)


def test_suppressed_alerts_are_in_none_of_the_times(fleet, sato):
    terminal = fleet.online()
    at = now(-600)
    window = services.plan(
        _hour(at),
        WindowScope(terminals=[terminal]),
        note="new fans",
        by=None,
        at=at,
    )
    past(fleet, max(at, window.occurs_at), terminal=terminal, taken_after_s=5, lasted_s=9, by=sato)
    past(fleet, at, lasted_s=50)

    found = line(By.ALL)

    assert (found.opened, found.suppressed, found.time_to_resolve.number) == (2, 1, 1)
    assert found.time_to_acknowledge == Spread()


def _hour(at):
    starts_at = at.replace(tzinfo=None, second=0, microsecond=0)
    return Recurrence(ZoneInfo("UTC"), starts_at, timedelta(hours=1), "")


def test_alerts_that_may_still_be_correlated_are_not_suppressed(fleet):
    opened_at = now(-1)
    alert = past(fleet, opened_at, rule=fleet.presence_rule())

    assert alert.suppressed_at_open == ""


def test_severities_and_sites_have_their_own_lines(fleet, sato):
    umeda = fleet.site("UMD", name="Umeda")
    past(fleet, now(-60), taken_after_s=10, by=sato, severity="critical")
    past(fleet, now(-60), taken_after_s=30, by=sato, rule=fleet.metric_rule(severity="warning"), site=umeda)

    assert line(By.SEVERITY, "warning").time_to_acknowledge.median_s == pytest.approx(30)
    assert line(By.SITE, umeda.pk).time_to_acknowledge.median_s == pytest.approx(30)
    assert line(By.ALL).time_to_acknowledge.median_s == pytest.approx(20)


def test_the_page_shows_the_times_of_the_period_with_links_to_the_alerts(page, fleet, sato):
    past(fleet, now(-3_600), taken_after_s=90, lasted_s=600, by=sato, rule=fleet.metric_rule(severity="critical"))
    past(fleet, now(-40 * 86_400), taken_after_s=9_000, lasted_s=9_999, by=sato)

    seen = page("/alerts/times/?span=7d")

    assert "1 min 30 s" in seen.text("times-critical")
    assert "/alerts/past/?severity=critical&span=7d" in seen.links()
    assert seen.rows("times-warning") == []


def test_a_period_that_ends_before_it_begins_is_reported(page, fleet):
    seen = page("/alerts/times/?since=2026-11-25T06:00&until=2026-11-24T06:00")

    assert "the end must be after the start" in seen.html


def test_the_times_are_exported_as_csv(browser, fleet, sato):
    past(fleet, now(-3_600), taken_after_s=90, lasted_s=600, by=sato, site=fleet.site("UMD"))

    answer = browser.get("/alerts/times/export/")

    rows = list(csv.DictReader(StringIO(answer.content.decode().removeprefix("\ufeff"))))
    assert [(row["by"], row["name"], row["time_to_acknowledge_median_s"]) for row in rows] == [
        ("all", "", "90.0"),
        ("severity", "critical", "90.0"),
        ("site", "UMD", "90.0"),
    ]


def test_more_alerts_and_sites_need_no_more_queries(fleet, sato, browser):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            browser.get("/alerts/times/")
        return len(asked)

    past(fleet, now(-60), lasted_s=1)
    few = queries()
    for code in "ABCD":
        past(fleet, now(-60), lasted_s=1, site=fleet.site(code))

    assert queries() == few
