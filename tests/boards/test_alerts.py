from datetime import timedelta

import pytest
from django.utils import timezone

from tests.boards.alert_list import alert_ids
from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage

pytestmark = pytest.mark.both


def test_open_and_acknowledged_alerts_are_ordered_by_urgency(page, fleet, tanaka):
    warning = factories.alert(fleet, severity="warning", opened_at=now(-300))
    acknowledged_alert = factories.acknowledged(factories.alert(fleet, opened_at=now(-200)), by=tanaka)
    urgent = factories.alert(fleet, opened_at=now(-10))
    factories.resolved(factories.alert(fleet))

    seen = page("/alerts/")

    assert alert_ids(seen) == [urgent.pk, acknowledged_alert.pk, warning.pk]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("severity=critical", ["urgent", "held"]),
        ("severity=warning", ["warning"]),
        ("severity=critical&severity=warning", ["urgent", "held", "warning"]),
        ("unacknowledged=1", ["urgent", "warning"]),
        ("unacknowledged=1&severity=warning", ["warning"]),
        ("q=T-held", ["held"]),
        ("q=on+its+way", ["held"]),
        ("q=lukewarm", ["warning"]),
        ("q=umeda", ["warning"]),
        ("q=x", ["urgent", "held", "warning"]),
        ("severity=nonsense", ["urgent", "held", "warning"]),
    ],
)
def test_the_filter_in_the_url_applies(page, fleet, tanaka, query, names):
    alerts = {
        "urgent": factories.alert(fleet, uid="T-urgent"),
        "held": factories.acknowledged(factories.alert(fleet, uid="T-held"), by=tanaka, comment="a roll is on its way"),
        "warning": factories.alert(
            fleet,
            terminal=fleet.online(uid="T-warning", site=fleet.site("UMD", name="Umeda")),
            rule=fleet.metric_rule(name="Lukewarm", severity="warning"),
        ),
    }

    seen = page(f"/alerts/?{query}")

    assert alert_ids(seen) == [alerts[name].pk for name in names]


def test_a_row_shows_the_problem_the_terminal_and_the_person(page, fleet, sato):
    rule = fleet.metric_rule("temperature_c", limit=75, name="Overheating")
    terminal = fleet.online(uid="UMD-1", label="Kiosk 3", site=fleet.site("UMD", name="Umeda"))
    alert = factories.alert(fleet, terminal=terminal, rule=rule, value=81.3)
    factories.acknowledged(alert, by=sato, comment="fan ordered")

    seen = page("/alerts/")

    text = seen.text(f"alert-{alert.pk}")
    for words in (
        "Warning",
        "Umeda: Overheating",
        "UMD-1",
        "Kiosk 3",
        "Temperature 81 °C, threshold 75 °C",
        "佐藤",
        "fan ordered",
    ):
        assert words in text


def test_the_history_of_an_alert_is_shown_newest_first(page, fleet, sato):
    alert = factories.resolved(factories.acknowledged(factories.alert(fleet), by=sato, comment="mine"))

    seen = page(alert.get_absolute_url())

    steps = [seen.text(element).split(" ", 1)[1] for element in seen.rows("transition-")]
    assert steps == ["Resolved TMS", "Acknowledged until recovery mine 佐藤", "Opened TMS"]


def test_alerts_resolved_since_midnight_are_listed_separately(page, fleet):
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    before = midnight - timedelta(hours=1)
    factories.resolved(factories.alert(fleet, opened_at=before), at=midnight - timedelta(seconds=1))
    early = factories.resolved(factories.alert(fleet, opened_at=before), at=midnight)
    late = factories.resolved(factories.alert(fleet, opened_at=before), at=midnight + timedelta(microseconds=5))
    factories.alert(fleet)

    seen = page("/alerts/?state=resolved")

    assert alert_ids(seen) == [late.pk, early.pk]
    assert seen.text("count-resolved") == "2"


def test_many_alerts_are_paginated(page, fleet):
    rule = fleet.metric_rule()
    at = now()
    opened_at = [at + timedelta(seconds=n // 2) for n in range(130)]
    made = [alert.pk for alert in factories.alerts(rule, fleet.terminals_online(130), opened_at)]
    first = page("/alerts/?severity=warning")
    (after,) = [link for link in first.links() if "after=" in link]

    second = page(after)
    (before,) = [link for link in second.links() if "before=" in link]

    assert alert_ids(first) + alert_ids(second) == made
    assert alert_ids(page(before)) == alert_ids(first)
    assert "severity=warning" in after


@pytest.mark.parametrize(
    "cursor",
    [
        "after=0~0~nonsense~1",
        "after=x",
        "before=0~0~2026-01-01T00:00:00+00:00",
        "after=0~0~0~0~2026-01-01T00:00:00~1",
        "order=oldest&after=0001-01-01T00:00:00%2B14:00~1",
    ],
)
def test_an_invalid_cursor_shows_the_first_page(page, fleet, cursor):
    alert = factories.alert(fleet)

    assert alert_ids(page(f"/alerts/?{cursor}")) == [alert.pk]


def test_a_fleet_without_alerts_is_shown_as_such(page, fleet):
    assert "All clear, no open alerts" in page("/alerts/").text("empty")
    assert "Nothing resolved today" in page("/alerts/?state=resolved").text("empty")


def test_an_empty_result_shows_the_number_outside_the_filter(page, fleet):
    factories.alert(fleet)

    assert "1 open alert does not match the filter" in page("/alerts/?severity=info").text("empty")


def test_common_factors_and_acknowledgements_are_shown(page, fleet, sato):
    rule = fleet.metric_rule(name="Overheating")
    for n in range(3):
        alert = factories.alert(fleet, rule=rule, model=f"KX-{n}", firmware="4.8.1", site=fleet.site(f"S{n // 2}"))
    factories.acknowledged(alert, by=sato)

    text = page("/alerts/").text("shares")

    assert "Rule Overheating 3 / 3" in text
    assert "Firmware 4.8.1 3 / 3" in text
    assert "Site Site S0 2 / 3" in text
    assert "Model" not in text
    assert "佐藤 1" in text


# Acknowledging


def test_a_plain_form_acknowledges(browser, fleet, tanaka):
    alert = factories.alert(fleet)

    answer = browser.post(f"{alert.get_absolute_url()}acknowledge/", {"comment": "on my way"})

    alert.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, alert.get_absolute_url())
    assert (alert.state, alert.acknowledged_by, alert.comment) == ("acknowledged", tanaka, "on my way")


def test_the_dialog_and_its_response_contain_the_row_of_the_page_of_origin(browser, fleet):
    alert = factories.alert(fleet)
    asked = browser.get(f"{alert.get_absolute_url()}acknowledge/", headers=HTMX_HEADERS).content.decode()

    headers = HTMX_HEADERS | {"HX-Current-URL": "http://testserver/alerts/?severity=critical"}
    answer = browser.post(f"{alert.get_absolute_url()}acknowledge/", {"comment": ""}, headers=headers)

    html = answer.content.decode()
    assert asked.strip().startswith('<dialog class="dialog" id="action" open data-modal')
    assert '<li class="alert"' in html
    assert 'hx-swap-oob="outerMorph"' in html
    assert "M. Tanaka" in html


@pytest.mark.parametrize(("current", "row"), [("/", "<li id="), ("/alerts/{alert}/", "<section"), ("/help/", None)])
def test_the_response_matches_the_page(browser, fleet, current, row):
    alert = factories.alert(fleet)
    current = f"http://testserver{current.format(alert=alert.pk)}"

    answer = browser.post(f"{alert.get_absolute_url()}acknowledge/", headers=HTMX_HEADERS | {"HX-Current-URL": current})

    html = answer.content.decode()
    assert (f"alert-{alert.pk}" in html) is (row is not None)
    assert (row or "") in html


def test_without_htmx_the_dialog_is_a_page_to_which_the_page_of_the_alert_links_once(page, fleet):
    alert = factories.alert(fleet)
    address = f"{alert.get_absolute_url()}acknowledge/"

    assert {"contract-recovery", "comment"} <= set(page(address).ids)
    assert page(alert.get_absolute_url()).html.count(f'href="{address}"') == 1


def test_labels_of_a_dialog_name_no_element_of_the_page_of_the_alert(page, browser, fleet):
    """They name their inputs by id."""
    alert = factories.alert(fleet)

    dialog = HtmlPage(browser.get(f"{alert.get_absolute_url()}acknowledge/", headers=HTMX_HEADERS))

    assert {"contract-time", "comment"} <= set(dialog.ids)
    assert not set(dialog.ids) & set(page(alert.get_absolute_url()).ids)


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_a_second_acknowledgement_shows_the_first_one_and_keeps_the_input(browser, fleet, sato, headers):
    alert = factories.acknowledged(factories.alert(fleet), by=sato, comment="fan ordered")

    answer = browser.post(f"{alert.get_absolute_url()}acknowledge/", {"comment": "I call them"}, headers=headers)

    html = answer.content.decode()
    alert.refresh_from_db()
    assert answer.status_code == 409
    assert "<bdi>佐藤</bdi> already acknowledged it" in html
    assert "fan ordered" in html
    assert ">I call them</textarea>" in html
    assert (alert.acknowledged_by, alert.comment) == (sato, "fan ordered")


@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_a_recovery_wins_over_a_late_acknowledgement(browser, fleet, headers):
    alert = factories.resolved(factories.alert(fleet))

    answer = browser.post(f"{alert.get_absolute_url()}acknowledge/", {"comment": "I call them"}, headers=headers)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Resolved at" in html
    assert ">I call them</textarea>" in html


def test_acknowledging_twice_has_no_further_effect(browser, fleet):
    alert = factories.alert(fleet)

    answers = [browser.post(f"{alert.get_absolute_url()}acknowledge/", {"comment": text}) for text in ("one", "two")]

    alert.refresh_from_db()
    assert [answer.status_code for answer in answers] == [302, 302]
    assert alert.comment == "one"
    assert alert.transitions.filter(kind="acknowledged").count() == 1


def test_a_comment_that_is_too_long_is_refused_and_preserved(browser, fleet):
    alert = factories.alert(fleet)

    answer = browser.post(f"{alert.get_absolute_url()}acknowledge/", {"comment": "x" * 501}, headers=HTMX_HEADERS)

    alert.refresh_from_db()
    assert answer.status_code == 422
    assert "x" * 501 in answer.content.decode()
    assert alert.state == "open"
