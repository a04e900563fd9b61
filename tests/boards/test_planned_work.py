"""Planned work beside presence: maintenance and opening hours, with their ends."""

import pytest

from tests.support import factories
from tests.support.alerts.planned_work import close, maintain

pytestmark = pytest.mark.both


def test_a_terminal_in_maintenance_shows_until_when_and_by_whom(page, fleet, tanaka):
    terminal = fleet.with_presence("offline", cause="connection_lost")
    maintain(tanaka, terminals=[terminal])

    seen, row = page(terminal.get_absolute_url()), page("/terminals/").text(f"terminal-{terminal.pk}")

    assert "· M. Tanaka" in seen.text("state")
    assert "maintenance until" in seen.text("state")
    assert "new router" in seen.text("state")
    assert "until maintenance ends" in seen.text("state")
    assert "maintenance until" in row
    assert "Offline" in row


def test_a_terminal_of_a_closed_site_shows_when_it_opens(page, fleet):
    terminal = fleet.with_presence("offline", cause="connection_lost")
    close(terminal.site)

    seen, row = page(terminal.get_absolute_url()), page("/terminals/").text(f"terminal-{terminal.pk}")

    assert "site closed until" in seen.text("state")
    assert "until the site opens" in seen.text("state")
    assert "site closed until" in row


def test_without_planned_work_nothing_is_shown(page, fleet):
    terminal = fleet.with_presence("offline", cause="connection_lost")

    seen = page(terminal.get_absolute_url())

    assert "until" not in seen.text("state")


def test_a_terminal_shows_its_parent(page, fleet):
    router = fleet.online(uid="router")

    seen = page(fleet.online(parent=router).get_absolute_url())

    assert router.get_absolute_url() in seen.links()


@pytest.mark.parametrize(("expected", "found"), [("maintenance", ["T-M"]), ("closed", ["T-C"]), ("nonsense", None)])
def test_terminals_are_filtered_by_planned_work(page, fleet, tanaka, expected, found):
    fleet.online(uid="T-O")
    maintain(tanaka, terminals=[fleet.online(uid="T-M")])
    close(fleet.online(uid="T-C", site=fleet.site("UMD")).site)

    seen = page(f"/terminals/?expected={expected}")

    rows = [seen.text(element).split(" ", 1)[0] for element in seen.rows("terminal-")]
    assert rows == (found or ["T-C", "T-M", "T-O"])
    assert (seen.text("count-expected-maintenance"), seen.text("count-expected-closed")) == ("1", "1")


@pytest.mark.parametrize(
    ("plan", "severity", "worst"),
    [
        ("closed", None, "closed"),
        ("maintenance", None, "maintenance"),
        (None, None, "offline"),
        ("closed", "critical", "critical"),
    ],
)
def test_a_site_with_planned_work_is_not_shown_as_lost(page, fleet, tanaka, plan, severity, worst):
    terminal = fleet.with_presence("offline")
    if plan == "closed":
        close(terminal.site)
    if plan == "maintenance":
        maintain(tanaka, sites=[terminal.site])
    if severity:
        factories.alert(fleet, terminal=terminal, severity=severity)

    seen = page("/")

    assert seen.attribute("site-SJK", "data-worst") == worst
    assert seen.text("number-maintenance") == ("1" if plan == "maintenance" else "0")
