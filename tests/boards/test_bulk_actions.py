"""Bulk actions, and the resulting lists."""

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Contract, Rule

pytestmark = pytest.mark.both


@pytest.fixture
def three(fleet) -> list[Alert]:
    return [factories.alert(fleet) for _ in range(3)]


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_many_are_snoozed_at_once(browser, three, headers):
    pks = {"alert": [alert.pk for alert in three[:2]]}
    asked = browser.get("/alerts/snooze/", pks, headers=headers).content.decode()

    answer = browser.post("/alerts/snooze/", pks | {"lasts": "3600", "comment": "at night"}, headers=headers)

    assert "Snooze: 2 alerts" in asked
    assert "Snooze: applied to 2 alerts." in " ".join(answer.content.decode().split())
    assert set(Alert.objects.snoozed()) == set(three[:2])


def test_the_dialog_shows_to_how_many_the_action_applies(browser, three, sato):
    factories.acknowledged(three[0], by=sato)

    html = browser.get(
        "/alerts/reopen/", {"alert": [alert.pk for alert in three]}, headers=HTMX_HEADERS
    ).content.decode()

    assert "Reopen: 1 alert" in html
    assert "Applies to 1 of 3 selected alerts." in html


def test_all_matching_alerts_are_offered_except_snoozed_ones(browser, three, fleet, sato):
    lifecycle.snooze(Alert.objects.filter(pk=three[0].pk), until=now(600), by=sato, comment="", at=now())
    asked = browser.get("/alerts/comment/", {"alert": three[1].pk}, headers=HTMX_HEADERS).content.decode()

    browser.post("/alerts/comment/", {"all": "1", "comment": "the mall has no power"})

    assert "Apply to all 2 matching alerts instead" in " ".join(asked.split())
    assert set(Alert.objects.filter(comment="the mall has no power")) == set(three[1:])


def test_snoozed_alerts_are_reopened_from_their_own_list(browser, three, sato):
    lifecycle.snooze(Alert.objects.filter(pk=three[0].pk), until=now(600), by=sato, comment="", at=now())

    browser.post("/alerts/reopen/", {"all": "1", "state": "snoozed"})

    assert not Alert.objects.snoozed().exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_empty_selection_is_an_error_with_the_next_step(browser, three, method):
    answer = getattr(browser, method)("/alerts/snooze/", {}, headers=HTMX_HEADERS)

    assert answer.status_code == 422
    assert "No alerts selected." in answer.content.decode()


def test_if_none_is_left_the_input_is_preserved(browser, three):
    for alert in three:
        factories.resolved(alert)

    answer = browser.post(
        "/alerts/comment/", {"alert": [alert.pk for alert in three], "comment": "late"}, headers=HTMX_HEADERS
    )

    assert answer.status_code == 409
    assert ">late</textarea>" in answer.content.decode()


def test_snoozed_alerts_are_listed_separately(page, three, sato):
    lifecycle.snooze(Alert.objects.filter(pk=three[0].pk), until=now(600), by=sato, comment="", at=now())

    listed, put_off = page("/alerts/"), page("/alerts/?state=snoozed")

    assert listed.rows("alert-")
    assert f"alert-{three[0].pk}" not in listed.ids
    assert put_off.text("count-open") == "2"
    assert put_off.text("count-snoozed") == "1"
    assert "佐藤" in put_off.text(f"alert-{three[0].pk}")


def test_mine_lists_my_acknowledged_and_assigned_alerts(page, fleet, tanaka, sato):
    acknowledged_alert, asked, theirs = (factories.alert(fleet) for _ in range(3))
    factories.acknowledged(acknowledged_alert, by=tanaka)
    lifecycle.assign(Alert.objects.filter(pk=asked.pk), to=tanaka, by=sato, comment="", at=now())
    factories.acknowledged(theirs, by=sato)

    seen = page("/alerts/?who=tanaka")

    assert {f"alert-{acknowledged_alert.pk}", f"alert-{asked.pk}"} <= set(seen.ids)
    assert f"alert-{theirs.pk}" not in seen.ids


def test_stale_acknowledgements_have_their_own_view(page, fleet, sato, settings):
    settings.STALE_AFTER_S = 60
    stale, _ = (factories.acknowledged(factories.alert(fleet), by=sato) for _ in range(2))
    Alert.objects.filter(pk=stale.pk).update(remind_at=now(-1))
    lifecycle.remind(now())

    seen = page("/alerts/?stale=1")

    assert [element for element in seen.ids if element == f"alert-{stale.pk}"]
    assert seen.text("count-stale") == "1"
    assert "No recent update" in seen.text(f"alert-{stale.pk}")


def test_the_history_shows_contracts_people_and_severities(page, fleet, tanaka, sato):
    alert = factories.alert(fleet, severity="warning")
    lifecycle.assign(Alert.objects.filter(pk=alert.pk), to=sato, by=tanaka, comment="your site", at=now())
    factories.acknowledged(alert, by=sato, comment="", at=now(), contract=Contract.WORSE)
    lifecycle.trigger([lifecycle.RuleTriggered(alert.rule_id, alert.terminal_id, now(), severity="critical")])

    seen = page(alert.get_absolute_url())

    steps = [seen.text(element).split(" ", 1)[1] for element in seen.rows("transition-")]
    assert steps == [
        "Reopened: worsened TMS",
        "Worsened Critical TMS",
        "Acknowledged until it gets worse 佐藤",
        "Assigned 佐藤 your site M. Tanaka",
        "Opened TMS",
    ]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("acknowledge", "Stops escalation for 3 critical alerts"),
        ("snooze", "Stops escalation for 3 critical alerts"),
        ("resolve", "Resolves 3 critical alerts"),
        ("assign", "Includes 3 critical alerts"),
    ],
)
def test_the_dialog_shows_what_the_action_means(browser, three, sato, action, message):
    Alert.objects.filter(pk=three[0].pk).update(claimed_by=sato, claimed_until=now(600))
    Rule.objects.update(may_be_resolved_by_hand=True)

    asked = browser.get(f"/alerts/{action}/", {"alert": [alert.pk for alert in three]}, headers=HTMX_HEADERS)

    text = " ".join(asked.content.decode().split())
    assert message in text
    assert "All terminals of a kind down at 1 open site" in text
    assert "Terminals: 3 of 3" in text
    assert "佐藤" in text


def test_a_comment_has_no_impact(browser, three):
    asked = browser.get("/alerts/comment/", {"alert": [alert.pk for alert in three]}, headers=HTMX_HEADERS)

    assert 'class="impact"' not in asked.content.decode()
