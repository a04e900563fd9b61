"""Overview, alerts and terminal at a past instant."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support import factories
from tests.support.builders import Link
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tests.support.people import grant, person
from tms.alerts import correlation, lifecycle
from tms.alerts.correlation import actions
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert
from tms.boards.replay.chosen import query_of
from tms.boards.replay.responses import STEP
from tms.commands.models import Command, CommandState
from tms.fleet.models import Presence, Terminal
from tms.fleet.terminals.services import move_terminals
from tms.ingest import commit

pytestmark = pytest.mark.both

HOUR = 3_600
REPLAYABLE = re.compile(r'<a[^>]* href="((?:/|/alerts/|/terminals/[^/"]+/)(?:\?[^"]*)?)"')


@pytest.fixture
def night(fleet, tanaka) -> Alert:
    """An alert that opened two hours ago, was acknowledged 90 minutes ago, and resolved an hour ago."""
    alert = factories.alert(fleet, opened_at=now(-2 * HOUR), site=fleet.site("HND"))
    factories.acknowledged(alert, by=tanaka, comment="carrier called", at=now(-1.5 * HOUR))
    return factories.resolved(alert, at=now(-HOUR))


def within_page(seen: HtmlPage) -> str:
    """What depends on the instant, without the header and the controls."""
    return seen.html[seen.html.index('id="replayed"') : seen.html.index('id="dock"')]


def test_the_overview_shows_what_was_open_and_who_was_on_it(replay, night):
    row = f"alert-{night.pk}"

    before = replay("/", now(-1.75 * HOUR))
    after = replay("/", now(-1.25 * HOUR))
    over = replay("/", now(-0.5 * HOUR))

    assert before.text("total-critical") == "Critical 1 1 unacknowledged"
    assert "Unacknowledged" in before.text(row)
    assert "carrier called" not in before.html
    assert after.text("total-critical") == "Critical 1"
    assert "M. Tanaka" in after.text(row)
    assert "carrier called" in after.text(row)
    assert over.text("total-critical") == "Critical 0"
    assert "All clear, no open alerts" in over.text("incidents-rest")
    assert [seen.attribute("site-HND", "data-worst") for seen in (after, over)] == ["critical", "ok"]


@pytest.mark.parametrize("path", ["/", "/alerts/", "/terminals/{uid}/", "/alerts/{pk}/"])
def test_a_replayed_page_says_so_and_has_no_actions_and_its_links_keep_the_instant(replay, night, path):
    at, path = now(-1.25 * HOUR), path.format(uid=night.terminal.uid, pk=night.pk)

    seen = replay(path, at)

    root = next(attributes for tag, attributes in seen.elements if tag == "html")
    assert re.match(r"Replay: \d+ \w+ \d\d:\d\d [A-Z]{3} ", seen.text("replay-banner"))
    assert seen.attribute("back-to-live", "href") == path
    assert "data-replay" in root
    assert "data-board-socket" not in root
    main = within_page(seen)
    own = re.findall(r'class="replay-from" href="([^"]+)"', main)
    assert not re.search(r"hx-post|method=\"post\"|data-action|/acknowledge/|type=\"checkbox\" name=\"alert\"", main)
    links = [link for link in REPLAYABLE.findall(main) if link not in own]
    assert links
    assert [link for link in links if query_of(at) not in link] == []


def test_a_page_has_the_same_elements_live_and_in_a_replay(replay, browser, fleet, night):
    factories.alert(fleet, severity="warning", opened_at=now(-3 * HOUR), site=fleet.site("UMD"))
    lives = {path: HtmlPage(browser.get(path)) for path in ("/", "/alerts/", f"/terminals/{night.terminal.uid}/")}

    for path, live in lives.items():
        past = replay(path, now(-1))

        gone = {element for element in live.ids if element not in past.ids and not element.startswith("sound-alarms-")}
        assert gone <= {"proof", "banner", "waiting", "sound", "approvals", "approval-calls", "shift", *ACTING}, path


def test_pages_show_the_site_and_firmware_of_then_and_leave_out_what_was_not_in_service(replay, fleet):
    terminal = fleet.online(uid="T-1", site=fleet.site("AAA"), firmware="4.8.1", at=now(-3 * HOUR))
    fleet.online(uid="T-2", site=fleet.site("CCC"), at=now(-3 * HOUR), lifecycle="planned")
    commit.write([Link(terminal).boot(at=now(-1.5 * HOUR), firmware="4.8.2")])
    move_terminals([terminal.pk], to=fleet.site("BBB"), by=None, at=now(-HOUR))

    before, after = (replay("/", now(hours * HOUR)) for hours in (-2, -0.5))
    page = replay(terminal.get_absolute_url(), now(-2 * HOUR))

    assert [{one for one in seen.ids if one.startswith("site-")} for seen in (before, after)] == [
        {"site-AAA"},
        {"site-BBB"},
    ]
    assert "4.8.1" in page.text("state")
    assert "AAA" in page.text("state")


ACTING = (
    *("ticked", "bulk-result", "count-stale", "count-flapping", "count-matching", "sound-alarms"),
    *("ask", "ask-title", "command-name", "command-arguments", "command-answer", "command-deliver", "commands"),
)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("at=3+o'clock", "must be a date and a time with a time zone"),
        ("at=2126-01-01T00:00:00Z", "in the future"),
        ("at=2001-01-01T00:00:00Z", "The first one that can be replayed"),
    ],
)
def test_an_instant_that_cannot_be_shown_is_explained(browser, night, query, text):
    answer = browser.get(f"/alerts/?severity=critical&{query}")

    seen = HtmlPage(answer)
    assert answer.status_code == 422
    assert text in seen.html
    assert re.fullmatch(r"/alerts/\?severity=critical&at=[0-9TZ:-]+", seen.attribute("nearest", "href") or "")


def test_a_local_time_is_redirected_to_its_instant(browser, night):
    Terminal.objects.update(created_at=now(-30 * 24 * HOUR))
    at = now(-HOUR).replace(second=0, microsecond=0)
    local = timezone.localtime(at, timezone.get_default_timezone())

    answer = browser.get("/", {"at": f"{local:%Y-%m-%dT%H:%M}", "zone": str(local.tzinfo), "range": "1h"})

    assert answer.status_code == 302
    assert answer["Location"] == f"/?{query_of(at, '1h')}"


def test_a_replay_begins_an_hour_ago(browser, night):
    Terminal.objects.update(created_at=now(-30 * 24 * HOUR))

    answer = browser.get("/replay/", follow=True)

    assert answer.status_code == 200
    assert "Replay:" in HtmlPage(answer).text("replay-banner")


def test_the_controls_lead_to_the_events_before_and_after(replay, night):
    seen = replay("/", now(-1.25 * HOUR))

    assert seen.attribute("replay-previous", "href") == f"/?{query_of(night.opened_at)}"
    assert seen.attribute("replay-next", "href") == f"/?{query_of(night.resolved_at)}"
    # The day of the opening, which may be the day before.
    changes = replay("/", night.opened_at).attribute("dock", "data-changes") or ""
    assert sum(map(int, re.findall(r"\d+", changes))) >= 1


def test_a_step_is_answered_with_the_parts_that_depend_on_the_instant(replay, night):
    at = now(-1.25 * HOUR)

    whole, step = replay("/", at), replay("/", at, **{STEP: "1"})

    assert "<html" not in step.html
    assert [element for element in step.ids if element in ("replay-banner", "replayed", "dock", "nav-alerts")] == [
        "replay-banner",
        "replayed",
        "dock",
        "nav-alerts",
    ]
    assert re.sub(r"\s+", "", within_page(step)) == re.sub(r"\s+", "", within_page(whole))


def test_what_the_frame_shows_is_the_present(replay, fleet, night):
    factories.alert(fleet, severity="critical", opened_at=now(-60))

    seen = replay("/", now(-0.5 * HOUR))

    assert seen.text("total-critical").startswith("Critical 0")
    assert seen.text("nav-alerts").startswith("1")


# Alerts


@pytest.fixture
def lost_site(fleet, tanaka):
    """The incident of five terminals of a site that were lost two hours ago."""
    site, rule, at = fleet.site("KIX"), fleet.presence_rule(severity="critical"), now(-2 * HOUR)
    terminals = [fleet.with_presence(Presence.OFFLINE, at=at, site=site) for _ in range(5)]
    lifecycle.apply_events([RuleTriggered(rule.pk, terminal.pk, at) for terminal in terminals])
    correlation.correlate(at + timedelta(seconds=1))
    incident = Alert.objects.filter(terminal=terminals[0]).get().incident
    assert incident is not None
    return incident


def test_an_incident_expands_to_the_alerts_that_it_had(replay, lost_site):
    at = now(-1.75 * HOUR)

    folded, expanded = replay("/alerts/", at), replay(f"/alerts/?expand={lost_site.pk}", at)

    assert folded.rows("incident-") == [f"incident-{lost_site.pk}"]
    assert folded.rows("alert-") == []
    assert len(expanded.rows("alert-")) == 5
    assert folded.text("count-open").startswith("1")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("severity=critical", ["critical"]),
        ("severity=warning", ["warning"]),
        ("unacknowledged=1", ["warning"]),
        ("who=tanaka", ["critical"]),
        ("site=HND", ["critical"]),
        ("q=T-", ["critical", "warning"]),
        ("q=nothing+of+this", []),
        ("order=oldest", ["warning", "critical"]),
        ("order=severity", ["critical", "warning"]),
        ("state=snoozed", []),
    ],
)
def test_filters_and_orders_apply_to_what_was_known(replay, fleet, night, query, shown):
    warning = factories.alert(fleet, severity="warning", opened_at=now(-3 * HOUR), site=fleet.site("UMD"))
    names = {f"alert-{night.pk}": "critical", f"alert-{warning.pk}": "warning"}

    seen = replay(f"/alerts/?{query}", now(-1.25 * HOUR))

    assert [names[row] for row in seen.rows("alert-")] == shown


def test_the_filter_keeps_the_instant(replay, night):
    at = now(-1.25 * HOUR)

    page, results = replay("/alerts/", at), replay("/alerts/?severity=critical", at, **HTMX_HEADERS)

    assert '<input type="hidden" name="at"' in page.html
    assert "<html" not in results.html
    assert f"/terminals/{night.terminal.uid}/?{query_of(at)}" in results.links()


def test_resolved_today_ends_at_the_instant(replay, night):
    before, after = (replay("/alerts/?state=resolved", now(hours * HOUR)) for hours in (-1.25, -0.5))

    is_same_day = timezone.localdate(now(-HOUR)) == timezone.localdate(now(-0.5 * HOUR))
    assert before.rows("alert-") == []
    assert after.rows("alert-") == ([f"alert-{night.pk}"] if is_same_day else [])


# Terminal


def test_a_terminal_shows_its_state_and_history_until_the_instant(replay, night):
    terminal = night.terminal
    factories.moved(terminal, "online", "offline", at=now(-1.4 * HOUR), cause="lease_ran_out")
    factories.moved(terminal, "offline", "online", at=now(-0.8 * HOUR))
    Command.objects.create(
        terminal=terminal,
        name="ping",
        state=CommandState.DONE,
        created_at=now(-1.3 * HOUR),
        sent_at=now(-1.3 * HOUR),
        answered_at=now(-1.1 * HOUR),
        deliver_before=now(-HOUR),
        result={"lines": ["later"]},
    )

    seen = replay(f"/terminals/{terminal.uid}/", now(-1.25 * HOUR))

    assert seen.attribute("state", "data-presence") == Presence.OFFLINE
    assert "M. Tanaka" in seen.text("open-alerts")
    assert "Resolved" not in seen.text("timeline")
    assert "later" not in within_page(seen)
    assert "until=" in (seen.attribute("chart", "data-series") or "")


def test_a_terminal_that_did_not_exist_yet_is_not_shown(browser, fleet):
    fleet.online(uid="OLD")
    Terminal.objects.update(created_at=now(-30 * 24 * HOUR))
    fleet.online(uid="NEW")

    answer = browser.get(f"/terminals/NEW/?{query_of(now(-HOUR))}")

    assert answer.status_code == 422
    assert "did not exist" in answer.content.decode()


# What we knew


def test_what_was_known_is_apart_from_what_came_later(replay, tanaka, lost_site):
    actions.acknowledge(lost_site, by=tanaka, comment="on it", at=now(-1.5 * HOUR))

    before, after = replay("/", now(-1.75 * HOUR)), replay("/", now(-1.25 * HOUR))

    known, _, later = before.text("known").partition("Known only later")
    assert "1 open incident, 1 unacknowledged" in known
    assert "No notification delivered" in known
    assert "Tanaka" not in known
    assert "Acknowledged" in later
    assert "Acknowledged by M. Tanaka" in after.text("known").partition("Known only later")[0]
    assert "M. Tanaka" in after.text("shift-then")
    assert "M. Tanaka" not in before.text("shift-then")


def test_people_see_the_past_of_their_scope_only(client, fleet, night):
    fleet.online(site=fleet.site("UMD"))
    Terminal.objects.update(created_at=now(-30 * 24 * HOUR))
    mori = person("mori", of=None)
    grant(mori, "Operator", site=fleet.site("UMD"))
    client.force_login(mori)

    seen = HtmlPage(client.get(f"/?{query_of(now(-1.25 * HOUR))}"))
    terminal = client.get(f"/terminals/{night.terminal.uid}/?{query_of(now(-1.25 * HOUR))}")

    assert "HND" not in seen.html
    assert seen.text("total-critical") == "Critical 0"
    assert terminal.status_code == 404
