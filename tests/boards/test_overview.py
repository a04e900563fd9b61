from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.factories import now
from tms.accounts.scope import EVERYTHING
from tms.boards.overview import on_shift, recent_changes
from tms.boards.overview.on_shift import OpenBoard
from tms.boards.pages import PAGES, OverviewPage, RenderContext
from tms.boards.templatetags.labels import PAGE_LABELS
from tms.feed.change import Change

pytestmark = pytest.mark.both


def test_totals_count_every_presence_and_severity(page, fleet, tanaka):
    fleet.with_presence("offline")
    fleet.with_presence("offline")
    fleet.with_presence("silent")
    acknowledged_alert = factories.alert(fleet, severity="critical")
    factories.alert(fleet, severity="critical")
    factories.alert(fleet, severity="warning")
    factories.acknowledged(acknowledged_alert, by=tanaka)

    seen = page("/")

    assert seen.text("total-offline").startswith("Offline 2")
    assert seen.text("total-silent").startswith("Silent 1")
    assert seen.text("total-online").startswith("Online 3")
    assert seen.text("total-critical") == "Critical 2 1 unacknowledged"
    assert seen.text("total-warning") == "Warning 1 1 unacknowledged"
    assert seen.text("total-info") == "Info 0"


def test_the_alerts_link_counts_only_unacknowledged_critical_alerts(page, fleet, tanaka):
    factories.acknowledged(factories.alert(fleet, severity="critical"), by=tanaka)
    factories.alert(fleet, severity="warning")
    stable = page("/")
    factories.alert(fleet, severity="critical")

    seen = page("/")

    assert "hidden" in dict(stable.elements[clear_index(stable)][1])
    assert seen.text("nav-alerts").startswith("1")


def clear_index(seen):
    return next(i for i, (_, attributes) in enumerate(seen.elements) if attributes.get("id") == "nav-alerts")


def test_open_alerts_are_ordered_by_urgency(page, fleet, tanaka):
    warning = factories.alert(fleet, severity="warning", opened_at=now(-300))
    acknowledged_alert = factories.acknowledged(factories.alert(fleet, opened_at=now(-200)), by=tanaka)
    young = factories.alert(fleet, opened_at=now(-10))
    old = factories.alert(fleet, opened_at=now(-100))

    seen = page("/")

    assert seen.rows("alert-") == [f"alert-{alert.pk}" for alert in (old, young, acknowledged_alert, warning)]


def test_the_number_of_further_alerts_is_shown(page, fleet):
    rule = fleet.metric_rule()
    for _ in range(23):
        factories.alert(fleet, rule=rule)

    seen = page("/")

    assert len(seen.rows("alert-")) == 20
    assert seen.text("incidents-rest") == "and 3 more"


def test_a_fleet_without_alerts_shows_since_when(page, fleet):
    factories.resolved(factories.alert(fleet))

    seen = page("/")

    assert "All clear, no open alerts" in seen.text("incidents-rest")
    assert "Since" in seen.text("incidents-rest")


@pytest.mark.parametrize(
    ("online", "words"),
    [(0, "No open alerts, but many terminals are silent at 1 site"), (2, "No open alerts, but"), (3, "All clear")],
)
def test_all_is_clear_only_while_few_terminals_of_a_site_are_silent(page, fleet, online, words):
    fleet.with_presence("silent")
    for _ in range(online):
        fleet.online()

    assert page("/").text("incidents-rest").startswith(words)


@pytest.mark.parametrize(
    ("presences", "severity", "worst"),
    [
        (["online", "silent"], "critical", "critical"),
        (["online", "offline"], "warning", "warning"),
        (["online", "offline", "silent"], None, "offline"),
        (["online", "silent"], None, "silent"),
        (["closed", "closed"], None, "closed"),
        (["closed", "online"], None, "ok"),
    ],
)
def test_a_site_shows_its_worst_state(page, fleet, presences, severity, worst):
    terminals = [fleet.with_presence(presence) for presence in presences]
    if severity:
        factories.alert(fleet, severity=severity, terminal=terminals[0])

    seen = page("/")

    assert seen.attribute("site-SJK", "data-worst") == worst


def test_sites_are_in_natural_order_within_their_region(page, fleet):
    for code, region in (("S10", "East"), ("S9", "East"), ("A1", "West")):
        fleet.online(site=fleet.site(code, region=region))

    assert page("/").rows("site-") == ["site-S9", "site-S10", "site-A1"]


def test_a_site_without_terminals_has_no_cell(page, fleet):
    fleet.site("EMP")
    fleet.online()

    seen = page("/")

    assert seen.rows("site-") == ["site-SJK"]


def test_changes_of_a_whole_site_are_one_line(page, fleet):
    for second in range(3):
        factories.moved(fleet.with_presence("silent"), "online", "silent", at=now(-second))
    other = fleet.with_presence("offline", site=fleet.site("UMD"))
    factories.moved(other, "silent", "offline", at=now(-30), cause="lease_ran_out")

    seen = page("/")

    lines = [seen.text(element) for element in seen.rows("presence-")]
    assert [line.split(" ", 1)[1] for line in lines] == [
        "Site SJK: 3 terminals silent",
        f"Site UMD: {other.uid} offline",
    ]
    assert seen.text("changes-note") == "4 changes"


def test_the_same_change_at_several_sites_is_one_line_and_the_newest_is_the_first(page, fleet):
    for second, code in enumerate(("UMD", "SJK", "SPR")):
        for _ in range(2):
            terminal = fleet.with_presence("offline", site=fleet.site(code))
            factories.moved(terminal, "silent", "offline", at=now(-5 - second))
    for second, code in ((1, "NGY"), (40, "HKT")):
        factories.moved(fleet.with_presence("silent", site=fleet.site(code)), "online", "silent", at=now(-second))

    seen = page("/")

    lines = [seen.text(element).split(" ", 1)[1] for element in seen.rows("presence-")]
    assert [line.split(":")[0] for line in lines] == ["Site NGY", "3 sites", "Site HKT"]
    assert lines[1] == "3 sites: 6 terminals offline"


def test_alerts_on_presence_that_open_and_recover_are_no_lines_of_their_own(page, fleet):
    rule = fleet.presence_rule()
    factories.resolved(factories.alert(fleet, rule=rule))
    factories.alert(fleet)

    seen = page("/")

    assert len(seen.rows("transition-")) == 1


def test_a_limited_number_of_changes_is_shown_as_at_least_that_many(page, fleet, monkeypatch):
    monkeypatch.setattr(recent_changes, "MAX_READ", 2)
    for second in range(3):
        factories.moved(fleet.with_presence("silent"), "online", "silent", at=now(-second))

    assert page("/").text("changes-note") == "2+ changes"


def test_the_sites_are_counted_and_those_that_need_attention(page, fleet):
    fleet.with_presence("offline")
    one = page("/").text("sites-note")
    for code in ("UMD", "OSK"):
        fleet.online(site=fleet.site(code))

    assert one == "1 site, 1 needs attention"
    assert page("/").text("sites-note") == "3 sites, 1 needs attention"


def test_the_number_of_pending_updates_has_a_singular_and_a_plural(page, fleet):
    seen = page("/")

    assert seen.attribute("waiting", "data-text-waiting-one") == "{n} update"
    assert seen.attribute("waiting", "data-text-waiting") == "{n} updates"


def test_changes_older_than_15_minutes_are_not_shown(page, fleet):
    factories.moved(fleet.online(), "silent", "online", at=now() - timedelta(minutes=16))

    seen = page("/")

    assert seen.rows("presence-") == []


def test_a_total_shows_its_growth_within_the_hour(page, fleet):
    for minutes in (5, 90):
        factories.moved(fleet.with_presence("offline"), "silent", "offline", at=now() - timedelta(minutes=minutes))

    seen = page("/")

    assert seen.text("total-offline") == "Offline 2 +1 in 1 h"


def test_a_person_with_an_open_board_is_on_shift(page, tanaka, sato):
    on_shift.report({sato.pk: OpenBoard("alerts", EVERYTHING)}, [])
    on_shift.report({}, [tanaka.pk])

    seen = page("/")

    assert seen.text("shift") == "佐 佐藤 viewing alerts"


def test_an_unchanged_row_is_not_read_again(fleet, tanaka):
    first, second = factories.alert(fleet), factories.alert(fleet)
    shown = OverviewPage(EVERYTHING)
    before = shown.page_state(RenderContext(now(), EVERYTHING))
    factories.acknowledged(second, by=tanaka)

    after = shown.page_state(RenderContext(now(), EVERYTHING), Change(alerts=frozenset({second.pk})), before)

    assert after.parts[f"alert-{first.pk}"] is before.parts[f"alert-{first.pk}"]
    assert after.parts[f"alert-{second.pk}"].values["alert"].acknowledged_by.text == "M. Tanaka"


def test_a_person_on_shift_has_the_name_of_the_page():
    assert PAGE_LABELS.keys() == {page.kind for page in PAGES.values()}
