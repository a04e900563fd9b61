"""Other actions on alerts: dialog and request."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support import factories
from tests.support.alerts.events import actions_on
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tests.support.people import grant, person
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Contract

pytestmark = pytest.mark.both

ACTIONS = [name for name, action in actions_on("acknowledged").items() if not action.is_immediate]


@pytest.fixture
def alert(fleet, sato) -> Alert:
    """Acknowledged by Sato, under a rule that may be resolved by hand."""
    rule = fleet.event_rule(may_be_resolved_by_hand=True)
    return factories.acknowledged(factories.alert(fleet, rule=rule), by=sato, comment="fan ordered")


def path(alert: Alert, action: str) -> str:
    return f"{alert.get_absolute_url()}{action}/"


def sent(action: str, **more):
    return {"snooze": {"lasts": "3600"}, "change-acknowledgement": {"contract": "worse"}}.get(action, {}) | more


# Contracts


@pytest.mark.parametrize(
    ("fields", "contract", "minutes"),
    [
        ({}, "recovery", None),
        ({"contract": "worse", "lasts": "3600"}, "worse", None),
        ({"contract": "time", "lasts": "7200"}, "time", 120),
        ({"contract": "time"}, "time", 60),
    ],
)
def test_an_alert_is_acknowledged_under_a_contract(browser, fleet, fields, contract, minutes):
    alert = factories.alert(fleet)

    browser.post(path(alert, "acknowledge"), fields)

    alert.refresh_from_db()
    assert (alert.state, alert.contract) == ("acknowledged", contract)
    if minutes is None:
        assert alert.until is None
    else:
        assert 0 <= alert.until.timestamp() - (alert.acknowledged_at + timedelta(minutes=minutes)).timestamp() <= 60


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin", "America/New_York"])
def test_a_time_is_in_the_zone_of_the_browser(browser, fleet, zone):
    alert, until = factories.alert(fleet), (now(5 * 3600)).replace(second=0, microsecond=0)

    fields = {"contract": "time", "lasts": "at", "until": f"{until.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"}
    browser.post(path(alert, "acknowledge"), fields | {"zone": zone})

    alert.refresh_from_db()
    assert alert.until == until


@pytest.mark.parametrize("until", ["", "nonsense", "2020-01-01T10:00", "2120-01-01T10:00", "2026-99-99T10:00"])
@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_an_invalid_time_is_refused_and_preserved(browser, fleet, until, headers):
    alert = factories.alert(fleet)

    fields = {"contract": "time", "lasts": "at", "until": until, "comment": "mine"}
    answer = browser.post(path(alert, "acknowledge"), fields, headers=headers)

    html = answer.content.decode()
    alert.refresh_from_db()
    assert answer.status_code == 422
    assert "Choose a time within the next 31 days." in html
    assert f'value="{until}"' in html
    assert 'aria-describedby="until-error"' in html
    assert 'id="until-error"' in html
    assert ">mine</textarea>" in html
    assert alert.state == "open"


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Etc/Unknown", "Asia"])
@pytest.mark.parametrize("action", ["acknowledge", "snooze"])
def test_an_unknown_zone_is_refused(browser, fleet, action, zone):
    alert = factories.alert(fleet)

    fields = {"contract": "time", "lasts": "at", "until": f"{now(86_400):%Y-%m-%dT%H:%M}", "zone": zone}

    assert browser.post(path(alert, action), fields).status_code == 422


def test_if_an_alert_got_worse_since_the_dialog_this_is_shown_and_the_input_is_preserved(browser, fleet):
    alert = factories.alert(fleet, severity="warning")
    lifecycle.trigger([lifecycle.RuleTriggered(alert.rule_id, alert.terminal_id, now(), severity="critical")])

    fields = {"version": alert.version, "comment": "mine"}
    answer = browser.post(path(alert, "acknowledge"), fields, headers=HTMX_HEADERS)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "It changed in the meantime." in html
    assert ">mine</textarea>" in html
    assert f'name="version" value="{alert.version + 1}"' in html


def test_if_a_colleague_was_first_the_comment_can_be_posted_without_the_acknowledgement(browser, fleet, sato):
    alert = factories.alert(fleet)
    factories.acknowledged(alert, by=sato)

    fields = {"version": 1, "comment": "mine"}
    answer = browser.post(path(alert, "acknowledge"), fields, headers=HTMX_HEADERS)

    assert answer.status_code == 409
    assert f'hx-post="{path(alert, "comment")}"' in answer.content.decode()


def test_a_row_shows_the_end_of_a_contract_and_why_it_ended(page, browser, fleet, sato):
    timed, watched, given, undone = (factories.alert(fleet, opened_at=now(-300)) for _ in range(4))
    factories.acknowledged(timed, by=sato, comment="", at=now(), contract=Contract.TIME, until=now(600))
    factories.acknowledged(watched, by=sato, comment="", at=now(), contract=Contract.WORSE)
    for alert, ago in ((given, 120), (undone, 0)):
        factories.acknowledged(alert, by=sato, at=now(-ago))
        browser.post(path(alert, "reopen"))

    seen = page("/alerts/")

    assert "until" in seen.text(f"alert-{timed.pk}")
    assert "data-countdown" in page(timed.get_absolute_url()).html
    assert "until it gets worse" in seen.text(f"alert-{watched.pk}")
    assert "Unacknowledged reopened" in seen.text(f"alert-{given.pk}")
    assert "reopened" not in seen.text(f"alert-{undone.pk}").partition("Acknowledge")[0]


# One alert


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
@pytest.mark.parametrize("action", ACTIONS)
def test_each_dialog_works_as_a_page_too(browser, alert, action, headers):
    answer = browser.get(path(alert, action), headers=headers)

    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.strip().startswith("<dialog") is bool(headers)
    assert 'data-kind="primary"' in html
    assert f'action="{path(alert, action)}"' in html


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("change-acknowledgement", "acknowledged"),
        ("reopen", "open"),
        ("snooze", "snoozed"),
        ("comment", "acknowledged"),
        ("resolve", "resolved"),
    ],
)
def test_each_works_with_a_plain_form(browser, alert, tanaka, action, state):
    answer = browser.post(path(alert, action), sent(action, comment="new words"))

    alert.refresh_from_db()
    step = alert.transitions.last()
    assert (answer.status_code, answer["Location"]) == (302, alert.get_absolute_url())
    assert (alert.state, alert.comment) == (state, "new words")
    assert (step.by, step.comment) == (tanaka, "new words")


def test_an_alert_is_assigned(browser, fleet, sato):
    alert = factories.alert(fleet)

    answer = browser.post(path(alert, "assign"), {"to": sato.pk}, headers=HTMX_HEADERS | {"HX-Current-URL": "/alerts/"})

    alert.refresh_from_db()
    assert alert.assigned_to == sato
    assert "assigned to <bdi>佐藤</bdi>" in " ".join(answer.content.decode().split())


@pytest.mark.parametrize("to", ["", "0", "nobody"])
def test_an_unknown_person_cannot_be_assigned(browser, alert, to):
    assert browser.post(path(alert, "assign"), {"to": to}).status_code == 422


def test_a_person_who_may_not_handle_all_of_the_alerts_is_not_assigned_any(browser, fleet):
    here, there = (factories.alert(fleet, terminal=fleet.terminal(site=fleet.site(code))) for code in ("EAST", "WEST"))
    mori = person("mori", of=None, first_name="Yui", last_name="Mori")
    grant(mori, "Operator", site=here.terminal.site)

    refused = browser.post("/alerts/assign/", {"alert": [here.pk, there.pk], "to": mori.pk})
    single = browser.post(path(there, "assign"), {"to": mori.pk})
    taken = browser.post(path(here, "assign"), {"to": mori.pk})

    assert (refused.status_code, single.status_code, taken.status_code) == (422, 422, 302)
    assert "Y. Mori may not handle 1 of these alerts." in refused.content.decode()
    assert "Y. Mori may not handle this alert." in single.content.decode()
    assert list(Alert.objects.filter(assigned_to=mori)) == [here]


def test_the_response_contains_the_row_of_the_page_of_origin(browser, alert):
    headers = HTMX_HEADERS | {"HX-Current-URL": "http://testserver/alerts/"}

    html = browser.post(path(alert, "reopen"), headers=headers).content.decode()

    assert '<li class="alert"' in html
    assert 'hx-swap-oob="outerMorph"' in html


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_recovery_wins_and_the_input_is_preserved(browser, alert, sato, action, headers):
    factories.resolved(alert)

    answer = browser.post(path(alert, action), sent(action, comment="too late", to=sato.pk), headers=headers)

    html = answer.content.decode()
    alert.refresh_from_db()
    assert answer.status_code == 409
    assert "Resolved at" in html
    assert ">too late</textarea>" in html
    assert (alert.state, alert.comment) == ("resolved", "fan ordered")


def test_an_outdated_version_is_refused(browser, alert, sato):
    lifecycle.change_acknowledgement(
        Alert.objects.filter(pk=alert.pk), contract=Contract.WORSE, until=None, by=sato, comment="", at=now()
    )

    answer = browser.post(path(alert, "reopen"), {"version": alert.version})

    assert answer.status_code == 409
    assert "It changed in the meantime." in answer.content.decode()


def test_an_action_that_the_rule_does_not_allow_is_not_offered(browser, page, fleet):
    alert = factories.alert(fleet)

    assert path(alert, "resolve") not in page(alert.get_absolute_url()).links()
    assert browser.post(path(alert, "resolve")).status_code == 409


def test_an_empty_comment_is_refused(browser, alert):
    assert browser.post(path(alert, "comment"), {"comment": " "}).status_code == 422


@pytest.mark.parametrize("address", ["/alerts/{pk}/nonsense/", "/alerts/nonsense/", "/alerts/0/snooze/"])
def test_an_unknown_alert_is_not_found(browser, alert, address):
    assert browser.get(address.format(pk=alert.pk)).status_code == 404


def test_an_action_is_shown_on_the_overview(page, browser, alert):
    browser.post(path(alert, "snooze"), sent("snooze"))

    result = HtmlPage(browser.get("/")).html

    assert "Snoozed, <bdi>M. Tanaka</bdi>" in " ".join(result.split())
