"""The pages of an alert and of an incident at a past instant."""

from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.alerts import correlation, lifecycle
from tms.alerts.correlation import actions
from tms.alerts.correlation.regrouping.move_out import move_out
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Incident
from tms.fleet.models import Presence, Terminal, TerminalState
from tms.fleet.terminals.services import move_terminals

pytestmark = pytest.mark.both

HOUR = 3_600
ACTIONS = (
    "acknowledge",
    "say",
    "ticked",
    "draft",
    "escalation",
    "draft-title",
    "escalation-title",
    "acknowledge-title",
)


@pytest.fixture
def night(fleet, tanaka) -> Alert:
    """An alert that opened two hours ago, was acknowledged 90 minutes ago, and resolved an hour ago. The same opened
    before, and afterwards.
    """
    alert = factories.alert(fleet, opened_at=now(-30 * HOUR), site=fleet.site("HND"))
    alerts = []
    for hours in (-30, -2, -0.75):
        alert = factories.alert(fleet, terminal=alert.terminal, rule=alert.rule, opened_at=now(hours * HOUR))
        factories.acknowledged(alert, by=tanaka, comment=f"helped {hours}", at=now((hours + 0.5) * HOUR))
        alerts.append(factories.resolved(alert, at=now((hours + 0.7) * HOUR)))
    return alerts[1]


@pytest.fixture
def lost_site(fleet, tanaka) -> Incident:
    """Five terminals of a site were lost two hours ago. Two returned after an hour, the others half an hour later."""
    site, rule, at = fleet.site("KIX"), fleet.presence_rule(severity="critical"), now(-2 * HOUR)
    fleet.online(site=site)
    terminals = [fleet.with_presence(Presence.OFFLINE, at=at, site=site) for _ in range(5)]
    lifecycle.apply_events([RuleTriggered(rule.pk, terminal.pk, at) for terminal in terminals])
    correlation.correlate(at + timedelta(seconds=1))
    incident = Incident.objects.get()
    actions.acknowledge(incident, by=tanaka, comment="carrier called", at=now(-1.5 * HOUR))
    for hours, returned in ((-1, terminals[:2]), (-0.5, terminals[2:])):
        for terminal in returned:
            factories.moved(terminal, "offline", "online", at=now(hours * HOUR))
            TerminalState.objects.filter(pk=terminal.pk).update(presence=Presence.ONLINE, presence_at=now(hours * HOUR))
            factories.resolved(Alert.objects.get(terminal=terminal), at=now(hours * HOUR))
        correlation.correlate(now(hours * HOUR + 1))
    incident.refresh_from_db()
    assert incident.state == "resolved"
    return incident


def test_an_alert_shows_what_was_known_of_it(replay, night):
    path, row = f"/alerts/{night.pk}/", f"alert-{night.pk}"

    opened, acknowledged, resolved = (replay(path, now(hours * HOUR)) for hours in (-1.9, -1.4, -1))

    assert "helped -2" not in opened.html
    assert "Unacknowledged" in opened.text(row)
    assert "M. Tanaka" in acknowledged.text(row)
    assert [page.text("timeline").count("Acknowledged") for page in (opened, acknowledged, resolved)] == [0, 1, 1]
    assert [page.text("timeline").count("Resolved") for page in (opened, acknowledged, resolved)] == [0, 0, 1]
    assert "Resolved at" in resolved.text(row)


def test_earlier_occurrences_of_an_alert_end_at_the_instant(replay, night):
    opened, resolved = (replay(f"/alerts/{night.pk}/", now(hours * HOUR)) for hours in (-1.4, -1))

    assert "2 in 7 days, 2 in total" in opened.html
    assert "Still open" in opened.html
    assert "helped -30" in opened.html
    assert "helped -0.75" not in resolved.html
    assert "Still open" not in resolved.html
    assert "until=" in (opened.attribute("chart", "data-series") or "")


def test_an_incident_shows_its_members_and_their_state_then(replay, lost_site):
    path, row = f"/incidents/{lost_site.pk}/", f"incident-{lost_site.pk}"

    before, partly, after = (replay(path, now(hours * HOUR)) for hours in (-1.75, -0.75, -0.25))

    assert "5 affected, 5 offline" in before.text("cells")
    assert "5 affected, 3 offline, 2 back" in partly.text("cells")
    assert "5 affected, 5 back" in after.text("cells")
    assert [len(page.rows("alert-")) for page in (before, partly, after)] == [5, 5, 5]
    assert "Unacknowledged" in before.text(row)
    assert "Tanaka" not in before.text(row)
    assert "M. Tanaka" in partly.text(row)
    assert "Resolved at" in after.text(row)
    assert "Acknowledged" not in before.text("timeline")
    assert "1 online at" in before.text("unaffected")


def test_members_of_an_incident_are_shown_where_they_were(replay, lost_site, fleet):
    members = list(Terminal.objects.filter(alerts__incident=lost_site).values_list("pk", flat=True))
    move_terminals(members[:3], to=fleet.site("NRT", name="Narita"), by=None, at=now(-60))

    seen = replay(f"/incidents/{lost_site.pk}/", now(-1.75 * HOUR))

    assert "5 affected, 5 offline" in seen.text("cells")
    assert [name for name in ("cells", *seen.rows("alert-")) if "Narita" in seen.text(name)] == []


def test_an_alert_that_was_moved_out_later_was_a_member(replay, fleet, tanaka):
    site, rule, at = fleet.site("NRT"), fleet.presence_rule(severity="critical"), now(-HOUR)
    terminals = [fleet.with_presence(Presence.OFFLINE, at=at, site=site) for _ in range(5)]
    lifecycle.apply_events([RuleTriggered(rule.pk, terminal.pk, at) for terminal in terminals])
    correlation.correlate(at + timedelta(seconds=1))
    incident, moved = Incident.objects.get(), Alert.objects.latest("pk")
    move_out(incident, [moved.pk], by=tanaka, comment="", at=now(-0.5 * HOUR))

    before, after = (replay(f"/incidents/{incident.pk}/", now(hours * HOUR)) for hours in (-0.75, -0.25))

    assert [f"alert-{moved.pk}" in page.rows("alert-") for page in (before, after)] == [True, False]
    assert "5 affected" in before.text("cells")
    assert "4 affected" in after.text("cells")


@pytest.mark.parametrize("kind", ["alerts", "incidents"])
def test_a_page_of_the_past_has_no_actions(replay, browser, night, lost_site, kind):
    pk = night.pk if kind == "alerts" else lost_site.pk
    live = HtmlPage(browser.get(f"/{kind}/{pk}/"))

    seen = replay(f"/{kind}/{pk}/", now(-1.6 * HOUR))

    main = seen.html[seen.html.index('id="replayed"') : seen.html.index('id="dock"')]
    assert seen.attribute("back-to-live", "href") == f"/{kind}/{pk}/"
    assert not [element for element in seen.ids if element in ACTIONS]
    assert 'method="post"' not in main
    assert "hx-post" not in main
    assert "Edit" not in main
    assert [element for element in live.ids if element in ("timeline", "cells", "curve", "factors")] == [
        element for element in seen.ids if element in ("timeline", "cells", "curve", "factors")
    ]


@pytest.mark.parametrize("kind", ["alerts", "incidents"])
def test_before_it_opened_there_was_nothing_to_show(replay, night, lost_site, kind):
    pk = night.pk if kind == "alerts" else lost_site.pk

    seen = replay(f"/{kind}/{pk}/", now(-40 * HOUR), status=422)

    assert "did not exist" in seen.html
