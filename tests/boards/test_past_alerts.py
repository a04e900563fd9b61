import csv
from datetime import timedelta
from io import StringIO

import pytest

from tests.boards.past_alerts import past
from tests.support import factories
from tests.support.builders import AT
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, streamed
from tms.lib.csv_export import csv_text

pytestmark = pytest.mark.both


def shown(seen):
    return [int(element.removeprefix("past-")) for element in seen.rows("past-")]


def test_past_and_unresolved_alerts_are_listed_newest_first(page, fleet):
    old = past(fleet, now(-90_000), lasted_s=60)
    unresolved = past(fleet, now(-600))
    new = past(fleet, now(-60), lasted_s=30)

    seen = page("/alerts/past/")

    assert shown(seen) == [new.pk, unresolved.pk, old.pk]
    assert "/alerts/past/?order=opened" in seen.links()
    assert shown(page("/alerts/past/?order=opened")) == [old.pk, unresolved.pk, new.pk]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=T-hot", ["hot"]),
        ("q=kiosk+7", ["hot"]),
        ("q=umeda", ["dim"]),
        ("q=lukewarm", ["dim"]),
        ("q=fan+ordered", ["hot"]),
        ("q=nothing+of+it", []),
        ("severity=critical", ["hot"]),
        ("site=umd", ["dim"]),
        ("who=sato", ["hot"]),
        ("who=tanaka", []),
        ("who=nobody", []),
        ("state=resolved", ["hot"]),
        ("state=unresolved", ["dim"]),
        ("span=24h", ["hot"]),
        ("since=2026-01-01T00:00&until=2026-01-03T00:00&zone=UTC", ["dim"]),
        ("since=nonsense", ["hot", "dim"]),
        ("span=aeon&severity=loud&rule=x&state=odd", ["hot", "dim"]),
    ],
)
def test_a_search_in_the_url_finds_matching_alerts(page, fleet, sato, query, names):
    alerts = {
        "hot": past(
            fleet,
            now(-3_600),
            taken_after_s=60,
            lasted_s=600,
            by=sato,
            comment="fan ordered",
            terminal=fleet.online(uid="T-hot", label="Kiosk 7"),
        ),
        "dim": past(
            fleet,
            AT.replace(month=1, day=2, hour=0),
            terminal=fleet.online(uid="T-dim", site=fleet.site("UMD", name="Umeda")),
            rule=fleet.metric_rule(name="Lukewarm", severity="warning"),
        ),
    }

    seen = page(f"/alerts/past/?{query}")

    assert shown(seen) == [alerts[name].pk for name in names]


def test_earlier_comments_are_found_too(page, fleet, sato, tanaka):
    alert = past(fleet, now(-60), taken_after_s=1, by=sato, comment="the first words")
    alert.transitions.create(kind="commented", at=now(), by=tanaka, comment="the last words")

    seen = page("/alerts/past/?q=first+words")

    assert shown(seen) == [alert.pk]
    assert "the last words" in seen.text(f"past-{alert.pk}")


def test_a_period_is_in_the_local_time_of_its_zone(page, fleet):
    tokyo_midnight = AT.replace(day=24, hour=15)
    alert = past(fleet, tokyo_midnight, lasted_s=5)

    at_home = page("/alerts/past/?since=2026-11-25T00:00&until=2026-11-25T00:01&zone=Asia/Tokyo")
    abroad = page("/alerts/past/?since=2026-11-25T00:00&until=2026-11-25T00:01&zone=Europe/Berlin")

    assert (shown(at_home), shown(abroad)) == ([alert.pk], [])


def test_a_row_shows_who_acknowledged_first_how_quickly_and_how_long_it_lasted(page, fleet, sato):
    alert = past(fleet, now(-3_600), taken_after_s=75, lasted_s=600, by=sato)

    seen = page("/alerts/past/")

    text = seen.text(f"past-{alert.pk}")
    assert "佐藤 after 1 min 15 s" in text
    assert "10 min" in text


def test_many_are_paginated_in_both_directions(page, fleet):
    rule, at = fleet.metric_rule(), now(-7_200)
    opened_at = [at + timedelta(seconds=n // 2) for n in range(130)]
    made = [alert.pk for alert in factories.alerts(rule, fleet.terminals_online(130), opened_at)][::-1]
    first = page("/alerts/past/?severity=warning")
    (after,) = [link for link in first.links() if "after=" in link]

    second = page(after)
    (before,) = [link for link in second.links() if "before=" in link]

    assert shown(first) + shown(second) == made
    assert shown(page(before)) == shown(first)
    assert "severity=warning" in after


def test_htmx_gets_the_results_and_the_canonical_url(browser, fleet):
    past(fleet, now(-60), lasted_s=1)

    answer = browser.get("/alerts/past/?q=&site=&severity=warning&zone=Asia/Tokyo&since=&until=", headers=HTMX_HEADERS)

    assert answer["HX-Replace-Url"] == "/alerts/past/?severity=warning"
    assert answer.content.decode().strip().startswith('<div class="results"')


def test_all_results_are_exported_as_csv(browser, fleet, monkeypatch):
    monkeypatch.setattr("tms.boards.alert_history.search.EXPORTED_AT_ONCE", 2)
    rule = fleet.metric_rule(severity="warning")
    made = [past(fleet, now(-600 + n), rule=rule, lasted_s=n + 1).pk for n in range(5)]
    past(fleet, now(-60), severity="critical")

    answer = browser.get("/alerts/past/export/?severity=warning")

    rows = list(csv.DictReader(StringIO(streamed(answer).removeprefix("\ufeff"))))
    assert [int(row["id"]) for row in rows] == made[::-1]
    assert [row["lasted_s"] for row in rows] == ["5.0", "4.0", "3.0", "2.0", "1.0"]


def test_a_name_that_a_spreadsheet_would_run_is_quoted():
    assert csv_text([["=cmd()", "plain", -1]]) == "'=cmd(),plain,-1\r\n"
