import json
import re
from datetime import time, timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.support import factories
from tests.support.builders import Link
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tests.support.people import grant, person, signed_in
from tms.accounts.models import AuditEntry
from tms.boards.caches.plans import plan_cache
from tms.boards.rows.common import LinkView
from tms.commands.models import Command
from tms.feed.change import Change
from tms.fleet.groups.services import set_members
from tms.fleet.models import Cause, Lifecycle
from tms.fleet.models.opening_hours import OpeningHours
from tms.fleet.terminals.lifecycle_changes import change_state
from tms.fleet.terminals.services import move_terminals
from tms.ingest import commit

pytestmark = pytest.mark.both


@pytest.mark.parametrize(
    ("link_state", "says"),
    [
        ({"presence": "online"}, "Connected since"),
        ({"presence": "silent", "cause": "lease_ran_out", "due_at": 30}, "No message since"),
        ({"presence": "silent", "cause": "connection_lost", "due_at": 30}, "Connection lost without notice"),
        ({"presence": "silent", "cause": "node_stopped", "due_at": 30}, "TMS restarted"),
        ({"presence": "rebooting", "cause": "reboot", "back_at": 90}, "Expected back by"),
        ({"presence": "rebooting", "cause": "update", "back_at": 90}, "announced update"),
        ({"presence": "closed", "cause": "closing"}, f": {Cause.CLOSING.label}."),
        ({"presence": "offline", "cause": "did_not_return"}, "not back on time"),
        ({"presence": "never"}, "never connected"),
    ],
)
def test_every_loss_of_a_link_shows_its_reason(page, fleet, link_state, says):
    instants = {name: now(seconds) for name, seconds in link_state.items() if name.endswith("_at")}
    terminal = fleet.with_presence(**(link_state | instants), at=now(), last_seen_at=now())

    seen = page(terminal.get_absolute_url())

    assert says in seen.text("state")


def test_lists_say_that_a_terminal_is_being_updated():
    link = LinkView("rebooting", now(), "update", now(90), None, now())

    assert "updating, back by" in render_to_string("boards/alert-parts.html#reason", {"link": link})


@pytest.mark.parametrize(
    ("link_state", "deadline"),
    [
        ({"presence": "silent", "due_at": 30}, "until marked offline"),
        ({"presence": "rebooting", "back_at": 90}, "until expected back"),
        ({"presence": "online", "due_at": 30}, None),
        ({"presence": "offline"}, None),
    ],
)
def test_a_silence_with_a_deadline_shows_a_countdown(page, fleet, link_state, deadline):
    instants = {name: now(seconds) for name, seconds in link_state.items() if name.endswith("_at")}
    terminal = fleet.with_presence(**(link_state | instants), at=now())

    seen = page(terminal.get_absolute_url())

    assert ("until" in seen.text("state")) is (deadline is not None)
    assert (deadline or "") in seen.text("state")


def test_a_countdown_has_the_length_of_the_wait_whose_last_third_is_marked(page, fleet):
    at = now()
    silent = fleet.with_presence("silent", at=at, due_at=at + timedelta(seconds=90))

    shown = [page(address).html for address in (silent.get_absolute_url(), "/terminals/")]

    assert (
        [html.count("data-countdown") for html in shown] == [html.count('data-lasts="90"') for html in shown] == [1, 1]
    )


def test_state_alerts_timeline_and_charts_are_in_this_order(page, storied):
    html = page(storied.get_absolute_url()).html

    positions = [html.index(f'id="{element}"') for element in ("state", "open-alerts", "timeline", "chart")]
    assert positions == sorted(positions)


@pytest.fixture
def storied(fleet, tanaka):
    """A terminal with one timeline entry of each kind, one a minute, the boot first."""
    terminal = fleet.online(uid="T-1", at=now())
    factories.report(terminal, 1, at=now(-300), metrics={"cpu_pct": 5.0})
    factories.moved(terminal, "silent", "online", at=now(-240))
    factories.event(terminal, "door_opened", at=now(-180), text="front door", late=True)
    fleet.command(terminal, at=now(-120), name="ping")
    factories.alert(fleet, terminal=terminal, rule=fleet.event_rule(name="Door"), opened_at=now(-60))
    return terminal


def test_the_timeline_shows_all_entries_newest_first(page, storied):
    seen = page(storied.get_absolute_url())

    ids = [element for element in seen.ids if element.partition("-")[0] in KINDS]
    assert [element.partition("-")[0] for element in ids] == ["transition", "asked", "event", "presence", "boot"]
    assert [without_instant(seen.text(element)) for element in ids] == [
        "Door TMS",
        "Ping Queued TMS",
        "door_opened front door sent late terminal",
        "Online TMS",
        "Booted terminal",
    ]


KINDS = {"transition", "asked", "event", "presence", "boot"}


def without_instant(entry: str) -> str:
    """The text of an entry; that of yesterday begins with the day, too."""
    return re.sub(r"^.*?\d\d:\d\d(:\d\d)? ", "", entry, count=1)


def test_the_timeline_names_what_changed_before_and_after_and_who_changed_it(page, fleet, tanaka, settings):
    """Newest first: what people changed, then what the terminal reported at its boots."""
    settings.APPROVAL_LAST_LANE = False
    terminal = fleet.terminal(uid="T-1", site=fleet.site("AAA"), firmware="4.8.1")
    commit.write([Link(terminal).boot(at=now(-300), firmware="4.8.2")])
    move_terminals([terminal.pk], to=fleet.site("BBB"), by=tanaka, at=now(-240))
    set_members(fleet.group("Lobby"), add=[terminal.pk], by=None, at=now(-180))
    change_state([terminal.pk], Lifecycle.OUT_OF_SERVICE, by=tanaka, at=now(-120))

    seen = page(f"{terminal.get_absolute_url()}?show=identity")

    assert [without_instant(seen.text(element)) for element in seen.ids if element.startswith("identity-")] == [
        "State In service → Out of service M. Tanaka",
        "Groups none → Lobby TMS",
        "Site AAA → BBB M. Tanaka",
        "Firmware 4.8.1 → 4.8.2 terminal",
    ]


def test_the_timeline_names_no_site_or_group_that_the_person_does_not_see(fleet):
    terminal = fleet.terminal(uid="T-1", site=fleet.site("AAA"))
    move_terminals([terminal.pk], to=fleet.site("BBB"), by=None, at=now(-240))
    set_members(fleet.group("Lobby"), add=[terminal.pk], by=None, at=now(-180))
    reader = person("reader", of=None)
    grant(reader, "Viewer", site=fleet.site("BBB"))

    seen = HtmlPage(signed_in(reader).get(f"{terminal.get_absolute_url()}?show=identity"))

    assert [without_instant(seen.text(element)) for element in seen.ids if element.startswith("identity-")] == [
        "Groups none → Lobby TMS",
        "Site … → BBB TMS",
    ]


@pytest.mark.parametrize(
    ("tab", "kinds"),
    [
        ("alerts", ["transition"]),
        ("commands", ["asked"]),
        ("events", ["event"]),
        ("link", ["presence", "boot"]),
        ("nonsense", ["transition", "asked", "event", "presence", "boot"]),
    ],
)
def test_a_tab_shows_its_kind_of_timeline_entry(page, storied, tab, kinds):
    seen = page(f"{storied.get_absolute_url()}?show={tab}")

    assert [element.partition("-")[0] for element in seen.ids if element.partition("-")[0] in KINDS] == kinds


def test_the_timeline_is_paginated_into_the_past(page, fleet):
    terminal = fleet.online()
    for minute in range(60):
        factories.event(terminal, f"event_{minute}", at=now() - timedelta(minutes=minute))
    first = page(terminal.get_absolute_url())
    (older,) = [link for link in first.links() if "before=" in link]

    second = page(older)

    assert (len(first.rows("event-")), len(second.rows("event-"))) == (50, 10)
    assert terminal.get_absolute_url() in second.links()


@pytest.mark.parametrize("before", ["nonsense", "2026-01-01", "2026-99-99T00:00:00Z"])
def test_an_invalid_time_shows_the_newest_entries(page, storied, before):
    seen = page(f"{storied.get_absolute_url()}?before={before}")

    assert len(seen.rows("event-")) == 1


def test_the_newest_report_is_available_for_the_chart_and_as_a_table(page, fleet):
    terminal = fleet.online(metrics={"temperature_c": 44.1})
    factories.report(terminal, 1, at=now(-60), metrics={"temperature_c": 40.0})
    newest = factories.report(terminal, 2, at=now(-1), metrics={"temperature_c": 44.1, "volts_v": 4.95})

    seen = page(terminal.get_absolute_url())

    assert seen.attribute("reading-latest", "data-at") == newest.at.isoformat()
    assert json.loads(seen.attribute("reading-latest", "data-values")) == {"temperature_c": 44.1, "volts_v": 4.95}
    assert "40 °C" in seen.html
    assert json.loads(seen.attribute("chart", "data-metrics"))["volts_v"] == {"label": "Volts", "unit": "V"}


def test_an_event_without_an_instant_is_marked_in_the_timeline(page, fleet):
    terminal = fleet.online(uid="T-1")
    event = factories.event(terminal, "door_opened", late=True, undated=True)

    assert "sent late arrival time" in page(terminal.get_absolute_url()).text(f"event-{event.pk}")


def test_the_series_are_columns_with_presence_and_limits(browser, fleet):
    terminal = fleet.online(uid="T-1")
    fleet.metric_rule("temperature_c", limit=60, severity="warning")
    fleet.metric_rule("temperature_c", limit=75, severity="critical")
    fleet.metric_rule("temperature_c", limit=10, enabled=False)
    fleet.metric_rule("temperature_c", limit=20, terminal_kind="gate")
    fleet.metric_rule("temperature_c", limit=30, site=fleet.site("UMD"))
    factories.report(terminal, 1, at=now(-3600), metrics={"temperature_c": 1.0})
    factories.report(terminal, 2, at=now(-120), metrics={"temperature_c": 40.0}, late=True)
    factories.report(terminal, 3, at=now(-60), metrics={"cpu_pct": 7.5})
    factories.moved(terminal, "online", "silent", at=now(-90))
    factories.moved(terminal, "silent", "online", at=now(-70))

    series = browser.get("/terminals/T-1/series/?span=30m").json()

    assert series["metrics"] == {"temperature_c": [40.0, None], "cpu_pct": [None, 7.5]}
    assert series["late"] == [1, 0]
    assert [stretch["presence"] for stretch in series["presence"]] == ["online", "silent", "online"]
    assert [stretch["to"] for stretch in series["presence"]][:-1] == [
        stretch["from"] for stretch in series["presence"]
    ][1:]
    assert series["limits"] == {
        "temperature_c": [
            {"comparison": "above", "limit": 60.0, "severity": "warning"},
            {"comparison": "above", "limit": 75.0, "severity": "critical"},
        ]
    }


def test_a_chart_draws_each_threshold_that_is_a_value_of_its_metric(browser, fleet):
    fleet.online(uid="T-1")
    higher = [{"severity": "critical", "limit": 90, "lower_limit": None}]
    fleet.metric_rule("cpu_pct", limit=80, severity="warning", higher_thresholds=higher)
    fleet.metric_rule("temperature_c", comparison="outside", limit=60, lower_limit=5, severity="warning")
    fleet.metric_rule("temperature_c", comparison="rising", limit=2, window_s=600, severity="warning")
    fleet.metric_rule("paper_pct", comparison="absent", limit=300, severity="warning")

    limits = browser.get("/terminals/T-1/series/?span=30m").json()["limits"]

    assert limits == {
        "cpu_pct": [
            {"comparison": "above", "limit": 80.0, "severity": "warning"},
            {"comparison": "above", "limit": 90.0, "severity": "critical"},
        ],
        "temperature_c": [
            {"comparison": "above", "limit": 60.0, "severity": "warning"},
            {"comparison": "below", "limit": 5.0, "severity": "warning"},
        ],
    }


def test_a_long_range_shows_means(browser, fleet):
    terminal = fleet.online(uid="T-1")
    start = now() - timedelta(days=2)
    start = start.replace(minute=0, second=0, microsecond=0)
    for seq, value in enumerate((10.0, 20.0, 60.0), 1):
        factories.report(terminal, seq, at=start + timedelta(minutes=seq), metrics={"cpu_pct": value})

    series = browser.get("/terminals/T-1/series/?span=7d").json()

    assert series["metrics"] == {"cpu_pct": [30.0]}


def test_a_terminal_that_was_never_seen_has_an_empty_chart(browser, fleet):
    fleet.terminal(uid="T-1")

    series = browser.get("/terminals/T-1/series/").json()

    assert (series["at"], series["metrics"]) == ([], {})
    assert [stretch["presence"] for stretch in series["presence"]] == ["never"]


ORDER = {"name": "collect_logs", "answer_within_s": "120", "deliver_within_s": "86400"}


def test_a_command_is_sent_by_a_plain_form(browser, fleet, tanaka):
    terminal = fleet.online()

    answer = browser.post(f"{terminal.get_absolute_url()}commands/", ORDER)

    command = Command.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, terminal.get_absolute_url())
    assert (command.name, command.created_by, command.answer_within_s) == ("collect_logs", tanaka, 120)
    assert command.deliver_before - command.created_at == timedelta(days=1)


def test_a_command_sent_by_htmx_is_answered_with_the_panel(browser, fleet):
    terminal = fleet.online()

    answer = browser.post(f"{terminal.get_absolute_url()}commands/", ORDER, headers=HTMX_HEADERS)

    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.strip().startswith('<section class="panel" id="ask"')
    assert f'id="command-{Command.objects.get().pk}"' in html


def test_an_unknown_command_is_refused_beside_its_field(browser, fleet):
    terminal = fleet.online()

    answer = browser.post(f"{terminal.get_absolute_url()}commands/", ORDER | {"name": "explode"}, headers=HTMX_HEADERS)

    assert answer.status_code == 422
    assert 'id="command-error"' in answer.content.decode()
    assert Command.objects.count() == 0


def test_the_answer_of_a_terminal_is_shown_unchanged(page, fleet):
    terminal = fleet.online()
    command = fleet.command(terminal, at=now(), name="collect_logs")
    Command.objects.update(state="done", sent_at=now(-2), answered_at=now(-1), result={"lines": ["one  two", "three"]})

    seen = page(terminal.get_absolute_url())

    assert "one  two\nthree" in seen.html
    assert "answered in 1.0 s" in seen.text(f"command-{command.pk}")


# Dangerous commands

REBOOT = {"name": "reboot", "answer_within_s": "120", "deliver_within_s": "86400"}


@pytest.fixture
def manager(fleet) -> Client:
    client = Client()
    client.force_login(person("manager", of="Manager"))
    return client


def test_a_reboot_needs_its_own_permission(browser, page, fleet):
    terminal = fleet.online()

    answer = browser.post(f"{terminal.get_absolute_url()}commands/", REBOOT | {"sure": "1"})

    assert answer.status_code == 403
    assert "permission to send dangerous commands" in answer.content.decode()
    assert 'value="reboot"' not in page(terminal.get_absolute_url()).html
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("others", "closed", "message"),
    [
        ([], False, "Ticket gate: the only one at this site"),
        (["offline"], False, "Ticket gate: 1 of 2 not working"),
        (["critical"], False, "Ticket gate: 1 of 2 not working"),
        (["online"], False, "2 of 2 working; 1 until it is back"),
        (["offline"], True, "1 of 2 working; 0 until it is back"),
    ],
)
def test_a_reboot_shows_a_confirmation_with_its_effects(manager, fleet, others, closed, message):
    terminal = fleet.online(kind="gate")
    for other in others:
        peer = fleet.with_presence("offline" if other == "offline" else "online", kind="gate")
        if other == "critical":
            factories.alert(fleet, terminal=peer, severity="critical")
    if closed:
        OpeningHours.objects.create(
            site=terminal.site, weekday=(now().weekday() + 3) % 7, opens_at=time(9), closes_at=time(10)
        )
    plan_cache().changed(Change(everything=True))

    answer = manager.post(f"{terminal.get_absolute_url()}commands/", REBOOT)

    html = " ".join(answer.content.decode().split())
    assert answer.status_code == 200
    assert message in html
    is_last = others != ["online"] and not closed
    assert ("Takes the last working lane" in html) == is_last
    assert ('name="typed"' in html) == is_last
    assert not Command.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_a_confirmed_reboot_is_queued(manager, fleet, headers):
    terminal = fleet.online()
    fleet.online()
    asked = manager.post(f"{terminal.get_absolute_url()}commands/", REBOOT, headers=headers)
    fields = {
        attributes["name"]: attributes["value"]
        for tag, attributes in HtmlPage(asked).elements
        if tag == "input" and attributes.get("type") == "hidden" and "value" in attributes
        if attributes["name"] != "csrfmiddlewaretoken"
    }

    answer = manager.post(f"{terminal.get_absolute_url()}commands/", fields, headers=headers)

    assert fields == REBOOT | {"sure": "1"}
    assert asked.headers.get("HX-Retarget") == ("#dialog" if headers else None)
    assert answer.status_code == (200 if headers else 302)
    assert Command.objects.get().name == "reboot"


def test_the_reason_of_a_reboot_is_in_the_audit_trail(manager, fleet):
    terminal = fleet.online()
    fleet.online()

    manager.post(f"{terminal.get_absolute_url()}commands/", REBOOT | {"sure": "1", "reason": "card reader hangs"})

    entry = AuditEntry.objects.get(action="commanded")
    assert (entry.actor_name, entry.subject_name) == ("manager", terminal.uid)
    assert (entry.changes["command"], entry.comment) == ([None, "reboot"], "card reader hangs")


@pytest.mark.parametrize(
    ("typed", "is_sent"), [("GTE-06", True), ("sjk-gte-06 ", True), ("GTE-05", False), ("", False)]
)
def test_the_last_lane_is_rebooted_only_with_its_number(manager, fleet, typed, is_sent):
    terminal = fleet.online(kind="gate", uid="SJK-GTE-06")

    answer = manager.post(f"{terminal.get_absolute_url()}commands/", REBOOT | {"sure": "1", "typed": typed})

    assert Command.objects.exists() == is_sent
    assert answer.status_code == (302 if is_sent else 422)
    assert is_sent or "Type GTE-06 to confirm." in answer.content.decode()
