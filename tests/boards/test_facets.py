"""The number on a choice of a filter is what the list shows after choosing it, with the other filters as they are."""

import pytest

from tests.support import factories
from tests.support.alerts.planned_work import close, maintain
from tms.alerts.models import Alert
from tms.boards.list_filters import terminal_facets

pytestmark = pytest.mark.both

NAMES = ("critical", "warning", "unacknowledged", "stale", "flapping")


@pytest.fixture
def alerts(fleet, sato) -> None:
    """Alerts: at UMD an incident of 5 critical ones; at SJK two warnings, one acknowledged, and a critical one."""
    factories.incident(fleet, "UMD")
    rule = fleet.metric_rule(severity="warning", name="Hot")
    for _ in range(2):
        warning = factories.alert(fleet, rule=rule, site=fleet.site("SJK"))
    factories.acknowledged(warning, by=sato)
    Alert.objects.filter(pk=warning.pk).update(is_stale=True)
    factories.alert(fleet, severity="critical", site=fleet.site("SJK"))


TERMINAL_NAMES = ("online", "silent", "offline", "expected-maintenance", "expected-closed")


@pytest.fixture
def planned(fleet, tanaka) -> None:
    """Planned absences: at UMD an online kiosk and a silent one in maintenance; at SJK, which is closed, the same
    and an offline gate.
    """
    for code in ("UMD", "SJK"):
        site = fleet.site(code)
        fleet.online(site=site, kind="kiosk", uid=f"{code}-1", model="KX-20")
        maintain(tanaka, terminals=[fleet.with_presence("silent", site=site, kind="kiosk", uid=f"{code}-2")])
    close(fleet.with_presence("offline", site=site, kind="gate", uid="SJK-3", model="G-2").site)


@pytest.mark.parametrize(
    ("query", "numbers", "matching"),
    [
        ("", "2 2 1 2 3", "5"),
        ("presence=online", "2 2 1 0 1", "2"),
        ("presence=online&presence=silent", "2 2 1 2 2", "4"),
        ("expected=maintenance", "0 2 0 2 3", "2"),
        ("expected=closed", "1 1 1 2 3", "3"),
        ("expected=closed&expected=maintenance", "1 2 1 2 3", "4"),
        ("expected=closed&presence=offline", "1 1 1 0 1", "1"),
        ("site=umd", "1 1 0 1 0", "2"),
        ("kind=gate", "0 0 1 0 1", "1"),
        ("q=KX-20", "2 0 0 0 1", "2"),
        ("q=KX-20&presence=silent", "2 0 0 0 0", "0"),
        ("site=SJK&status=ok", "0 0 0 0 0", "0"),
    ],
)
def test_each_choice_of_terminals_counts_with_the_other_filters(page, planned, query, numbers, matching):
    seen = page(f"/terminals/?{query}")

    assert " ".join(seen.text(f"count-{name}") for name in TERMINAL_NAMES) == numbers
    assert len(seen.rows("terminal-")) == int(matching)
    assert matching == "0" or seen.text("foot").startswith(f"{matching} of {matching} terminal")


def test_a_number_that_was_not_counted_to_its_end_says_so(page, planned, monkeypatch):
    monkeypatch.setattr(terminal_facets, "MAX_TERMINALS", 2)

    seen = page("/terminals/?q=SJK")

    assert seen.text("count-online").endswith("+")
    assert "3 of at least 2 terminals" in seen.text("foot")


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", "2 2 3 1 0"),
        ("severity=critical", "2 2 2 0 0"),
        ("unacknowledged=1", "2 1 3 0 0"),
        ("site=SJK", "1 2 2 1 0"),
        ("site=UMD&severity=warning", "1 0 0 0 0"),
        ("stale=1", "0 1 0 1 0"),
        ("q=Hot", "0 2 1 1 0"),
    ],
)
def test_each_choice_counts_with_the_other_filters(page, alerts, query, numbers):
    seen = page(f"/alerts/?{query}")

    assert " ".join(seen.text(f"count-{name}") for name in NAMES) == numbers


def test_the_number_of_a_cell_is_that_of_terminals(page, fleet, alerts):
    hot = Alert.objects.filter(severity="critical", terminal__site__code="SJK").get().terminal
    factories.alert(fleet, severity="critical", terminal=hot)

    seen = page("/")

    assert seen.text("number-site-SJK") == "1"
    assert seen.text("number-site-UMD") == "5"
    assert "Number = terminals affected" in seen.html
