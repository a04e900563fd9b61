"""Acknowledging many alerts with one request."""

import re
from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.alerts.models import Alert, Transition

pytestmark = pytest.mark.both

PATH = "/alerts/acknowledge/"


@pytest.fixture
def three(fleet) -> list[Alert]:
    return [factories.alert(fleet, severity=severity) for severity in ("critical", "warning", "warning")]


def pks(alerts) -> dict[str, list[int]]:
    return {"alert": [alert.pk for alert in alerts]}


def fields(html: str) -> dict[str, list[str]]:
    """The hidden fields of the form, as a browser would send them."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html):
        found.setdefault(name, []).append(value)
    return found


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# The list


def test_unresolved_alerts_can_be_selected(page, fleet, sato):
    free, acknowledged_alert = factories.alert(fleet), factories.acknowledged(factories.alert(fleet), by=sato)
    factories.resolved(factories.alert(fleet))

    seen = page("/alerts/")

    boxes = [attributes for tag, attributes in seen.elements if tag == "input" and attributes.get("name") == "alert"]
    assert [(box["value"], box["form"]) for box in boxes] == [
        (str(pk), "ticked") for pk in (free.pk, acknowledged_alert.pk)
    ]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", "3"),
        ("severity=warning", "2"),
        ("unacknowledged=1&severity=critical", "1"),
        ("q=T-umeda", "1"),
        ("site=UMD", "1"),
    ],
)
def test_the_number_of_matching_alerts_leaves_out_acknowledged_ones(page, fleet, sato, query, number):
    factories.alert(fleet)
    factories.alert(fleet, severity="warning", uid="T-umeda", site=fleet.site("UMD"))
    factories.alert(fleet, severity="warning")
    factories.acknowledged(factories.alert(fleet, severity="warning"), by=sato)

    assert page(f"/alerts/?{query}").text("count-matching") == number


def test_the_form_of_the_list_carries_the_filter(page, fleet, three):
    seen = page("/alerts/?severity=warning&unacknowledged=1")

    assert fields(seen.html) == {"severity": ["warning"], "unacknowledged": ["1"]} | {
        "csrfmiddlewaretoken": fields(seen.html)["csrfmiddlewaretoken"]
    }


def test_resolved_alerts_cannot_be_selected(page, fleet):
    factories.resolved(factories.alert(fleet))

    seen = page("/alerts/?state=resolved")

    assert not {"ticked", "count-matching"} & set(seen.ids)


# The dialog


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_the_dialog_shows_the_number_and_the_severities(browser, three, headers):
    asked = browser.get(PATH, pks(three), headers=headers)

    html = asked.content.decode()
    assert asked.status_code == 200
    assert "Acknowledge: 3 alerts" in html
    assert html.strip().startswith("<dialog") is bool(headers)
    assert fields(html)["alert"] == [str(alert.pk) for alert in three]


def test_the_dialog_counts_each_severity(browser, three):
    html = browser.get(PATH, pks(three), headers=HTMX_HEADERS).content.decode()

    assert "Critical 1 Warning 2" in words(html)


def test_the_dialog_counts_only_unacknowledged_alerts(browser, three, sato):
    factories.acknowledged(three[0], by=sato)

    html = browser.get(PATH, pks(three)).content.decode()

    assert "Acknowledge: 2 alerts" in html
    assert "Applies to 2 of 3 selected alerts." in html


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
@pytest.mark.parametrize("query", ["", "alert=x", "alert=", "all=2", "severity=critical"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_empty_selection_is_an_error_with_the_next_step(browser, three, method, query, headers):
    answer = browser.generic(
        method.upper(), f"{PATH}?{query}", query, "application/x-www-form-urlencoded", headers=headers
    )

    html = answer.content.decode()
    assert answer.status_code == 422
    assert "No alerts selected. Select alerts in the list" in html
    assert 'data-kind="primary"' not in html
    assert Alert.objects.unacknowledged().count() == 3


def test_a_dialog_about_resolved_alerts_shows_that(browser, three, sato):
    factories.resolved(three[0])
    factories.acknowledged(three[1], by=sato)

    html = browser.get(PATH, pks(three[:2]), headers=HTMX_HEADERS).content.decode()

    assert "This action applies to none of these alerts." in html
    assert 'data-kind="primary"' not in html


# The request


def test_selected_alerts_are_acknowledged_and_the_response_has_their_number(browser, three, tanaka):
    answer = browser.post(PATH, pks(three[:2]) | {"comment": "on my way"}, headers=HTMX_HEADERS)

    assert answer.status_code == 200
    assert "Acknowledge: applied to 2 alerts." in answer.content.decode()
    assert 'id="bulk-result"' in answer.content.decode()
    assert Alert.objects.unacknowledged().get() == three[2]
    taken = Alert.objects.filter(pk__in=[alert.pk for alert in three[:2]])
    assert set(taken.values_list("acknowledged_by", "comment")) == {(tanaka.pk, "on my way")}


def test_a_plain_form_is_answered_with_a_page_that_links_back_to_the_filter(browser, three):
    asked = browser.get(PATH, pks(three) | {"severity": "warning"}).content.decode()

    answer = HtmlPage(browser.post(PATH, fields(asked) | {"comment": ""}))

    assert "Acknowledge: applied to 3 alerts." in answer.html
    assert "/alerts/?severity=warning" in answer.links()


def test_the_response_counts_alerts_acknowledged_by_others_or_recovered(browser, fleet, three, sato):
    asked = fields(browser.get(PATH, pks([*three, factories.alert(fleet)])).content.decode())
    factories.acknowledged(three[0], by=sato, comment="fan ordered")
    factories.resolved(three[1])

    html = browser.post(PATH, asked | {"comment": "mine"}, headers=HTMX_HEADERS).content.decode()

    assert (
        "Acknowledge: applied to 2 alerts. 1 was already acknowledged by someone else. 1 was already resolved."
        in words(html)
    )
    three[0].refresh_from_db()
    assert (three[0].acknowledged_by, three[0].comment) == (sato, "fan ordered")


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_if_none_is_left_the_input_is_preserved(browser, three, sato, headers):
    for alert in three:
        factories.acknowledged(alert, by=sato)

    answer = browser.post(PATH, pks(three) | {"comment": "I call them"}, headers=headers)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "3 were already acknowledged by someone else." in html
    assert ">I call them</textarea>" in html


def test_repeating_the_request_has_no_effect_and_the_same_response(browser, three):
    sent = pks(three) | {"comment": "once"}

    answers = [words(browser.post(PATH, sent, headers=HTMX_HEADERS).content.decode()) for _ in range(2)]

    assert all("Acknowledge: applied to 3 alerts." in answer for answer in answers)
    assert Transition.objects.filter(kind="acknowledged").count() == 3


def test_a_comment_that_is_too_long_is_refused_and_preserved(browser, three):
    answer = browser.post(PATH, pks(three) | {"comment": "x" * 501}, headers=HTMX_HEADERS)

    assert answer.status_code == 422
    assert "x" * 501 in answer.content.decode()
    assert fields(answer.content.decode())["alert"] == [str(alert.pk) for alert in three]
    assert Alert.objects.unacknowledged().count() == 3


# All matching alerts


def test_all_matching_alerts_are_acknowledged_and_no_others(browser, three):
    asked = browser.get(PATH, {"all": "1", "severity": "warning"}).content.decode()

    answer = browser.post(PATH, fields(asked) | {"comment": ""}, headers=HTMX_HEADERS)

    assert "Acknowledge: 2 alerts" in asked
    assert "Acknowledge: applied to 2 alerts." in answer.content.decode()
    assert Alert.objects.unacknowledged().get() == three[0]


def test_alerts_that_open_after_the_dialog_are_not_included(browser, fleet, three):
    asked = browser.get(PATH, {"all": "1"}).content.decode()
    late = factories.alert(fleet, opened_at=now())

    answer = browser.post(PATH, fields(asked) | {"comment": ""}, headers=HTMX_HEADERS)

    assert "Acknowledge: applied to 3 alerts." in answer.content.decode()
    assert Alert.objects.unacknowledged().get() == late


@pytest.mark.parametrize("unacknowledged", [{}, {"unacknowledged": "1"}])
def test_only_alerts_that_were_open_at_the_dialog_count_as_missed(browser, fleet, three, sato, unacknowledged):
    factories.acknowledged(factories.alert(fleet), by=sato)
    factories.resolved(factories.alert(fleet))
    asked = browser.get(PATH, {"all": "1"} | unacknowledged).content.decode()
    factories.acknowledged(three[0], by=sato)
    factories.resolved(three[1])

    html = browser.post(PATH, fields(asked) | {"comment": ""}, headers=HTMX_HEADERS).content.decode()

    assert (
        "Acknowledge: applied to 1 alert. 1 was already acknowledged by someone else. 1 was already resolved."
        in words(html)
    )


def test_repeating_a_request_for_all_gives_the_same_response(browser, fleet, three, tanaka):
    factories.acknowledged(factories.alert(fleet), by=tanaka)
    asked = fields(browser.get(PATH, {"all": "1"}).content.decode()) | {"comment": ""}

    answers = [words(browser.post(PATH, asked, headers=HTMX_HEADERS).content.decode()) for _ in range(2)]

    assert all("Acknowledge: applied to 3 alerts." in answer for answer in answers)


@pytest.mark.parametrize("seen_at", ["nonsense", "2026-13-45T00:00:00Z", "2026-01-01T00:00:00", ""])
def test_an_invalid_time_is_treated_as_now(browser, three, seen_at):
    browser.post(PATH, {"all": "1", "seen_at": seen_at, "comment": ""})

    assert Alert.objects.unacknowledged().count() == 0


def test_a_time_in_the_future_is_treated_as_now(browser, fleet, three):
    late = factories.alert(fleet, opened_at=now(60))

    browser.post(PATH, {"all": "1", "seen_at": (now() + timedelta(hours=1)).isoformat(), "comment": ""})

    assert Alert.objects.unacknowledged().get() == late
