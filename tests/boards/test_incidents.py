"""Incidents in the list of alerts, on the overview and on their own page, and the actions on them."""

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tests.support.people import make_superuser
from tms.alerts import correlation
from tms.alerts.models import Alert, CorrelationRule, Incident, SameRuleCorrelation
from tms.alerts.models.factor import OF_RULES
from tms.fleet.models import Presence, TerminalState

pytestmark = pytest.mark.both


@pytest.fixture
def incident(fleet) -> Incident:
    """Five of five terminals at one site are lost."""
    return factories.incident(fleet)


def path(incident: Incident, action: str) -> str:
    return f"{incident.get_absolute_url()}{action}/"


def test_one_row_represents_all_of_its_alerts(page, fleet, incident):
    other = factories.alert(fleet, severity="warning", site=fleet.site("UMD"))

    seen = page("/alerts/")

    assert [element for element in seen.ids if element.startswith(("alert-", "incident-"))] == [
        f"incident-{incident.pk}",
        f"alert-{other.pk}",
    ]
    assert "Site SJK: 5 of 5 terminals offline" in seen.text(f"incident-{incident.pk}")
    assert "5 alerts still open" in seen.text(f"incident-{incident.pk}")


def test_totals_and_tabs_count_it_once_and_its_alerts_in_brackets(page, fleet, incident):
    factories.alert(fleet, severity="critical", site=fleet.site("UMD"))

    overview, alerts = page("/"), page("/alerts/")

    assert overview.text("total-critical") == "Critical 2 (6) 2 unacknowledged"
    assert overview.text("nav-alerts").startswith("2")
    assert [alerts.text(f"count-{name}") for name in ("open", "critical", "unacknowledged")] == ["2", "2", "2"]
    assert alerts.text("count-matching") == "6"


def test_expanded_alerts_are_rows_of_a_table_without_buttons_of_their_own(page, incident):
    seen = page(f"/alerts/?expand={incident.pk}")

    row = seen.rows("alert-")[0]
    alert = Alert.objects.get(pk=int(row.removeprefix("alert-")))
    assert alert.terminal.uid in seen.text(row)
    assert "Offline" in seen.text(row)
    assert "Claim" not in seen.text(row)


def test_it_expands_within_the_list_and_collapses_again(page, incident):
    collapsed = page("/alerts/")
    [expand] = [link for link in collapsed.links() if "expand=" in link]

    expanded = page(expand)

    assert expand == f"/alerts/?expand={incident.pk}"
    assert len(expanded.rows("alert-")) == 5
    assert expanded.ids.index(f"incident-{incident.pk}") < expanded.ids.index(expanded.rows("alert-")[0])
    assert "/alerts/" in expanded.links()


@pytest.mark.parametrize(
    ("query", "shows_row"),
    [
        ("severity=critical", True),
        ("severity=warning", False),
        ("unacknowledged=1", True),
        ("site=SJK", True),
        ("site=UMD", False),
        ("who=tanaka", False),
    ],
)
def test_a_filter_applies_to_incidents_too(page, incident, query, shows_row):
    seen = page(f"/alerts/?{query}")

    assert bool(seen.rows("incident-")) is shows_row
    assert seen.rows("alert-") == []


@pytest.mark.parametrize("query", ["q=T-", "incident={pk}"])
def test_certain_filters_also_list_alerts_within_incidents(page, incident, query):
    seen = page("/alerts/?" + query.format(pk=incident.pk))

    assert len(seen.rows("alert-")) == 5
    assert seen.rows("incident-") == []
    assert incident.get_absolute_url() in seen.links()


def test_the_overview_shows_the_incident_and_does_not_count_its_alerts_separately(page, incident):
    seen = page("/")

    assert seen.rows("incident-") == [f"incident-{incident.pk}"]
    assert seen.rows("alert-") == []
    assert "more-alerts" not in seen.ids


def test_its_page_shows_why_what_and_since_when(page, fleet, incident):
    recovered = Alert.objects.filter(incident=incident).first()
    TerminalState.objects.filter(pk=recovered.terminal_id).update(presence=Presence.ONLINE)
    factories.resolved(recovered)
    correlation.correlate(now())

    seen = page(incident.get_absolute_url())

    assert "Site SJK: 5 of 5 terminals offline" in seen.text(f"incident-{incident.pk}")
    assert "4 alerts still open · 1 resolved" in seen.text(f"incident-{incident.pk}").replace(
        " still open ", " still open · "
    )
    assert seen.rows("alert-")[-1] == f"alert-{recovered.pk}"
    assert "Opened with 5 alerts" in seen.text("timeline")
    assert "1 resolved, 4 still open" in seen.text("timeline")


def test_an_unknown_incident_is_not_found(browser):
    assert browser.get("/incidents/4711/").status_code == 404


def test_it_is_acknowledged_with_all_of_its_alerts(browser, incident, tanaka):
    answer = browser.post(path(incident, "acknowledge"), {"comment": "Power cut", "contract": "worse"})

    incident.refresh_from_db()
    assert answer.status_code == 302
    assert (incident.state, incident.acknowledged_by, incident.contract) == ("acknowledged", tanaka, "worse")
    assert set(Alert.objects.values_list("state", "acknowledged_by")) == {("acknowledged", tanaka.pk)}


def test_the_dialog_shows_how_many_it_covers(browser, incident):
    seen = HtmlPage(browser.get(path(incident, "acknowledge"), headers=HTMX_HEADERS))

    assert "Covers 5 alerts, and any that join later." in seen.text("action")


def test_a_second_acknowledgement_shows_the_first_one_and_keeps_the_input(browser, incident, sato):
    correlation.acknowledge(incident, by=sato, comment="on my way", at=now())

    answer = browser.post(path(incident, "acknowledge"), {"comment": "mine"}, headers=HTMX_HEADERS)

    seen = HtmlPage(answer)
    assert answer.status_code == 409
    assert "佐藤" in seen.text("action")
    assert "already acknowledged it" in seen.text("action")
    assert "mine" in seen.text("comment")


def test_a_recovery_wins(browser, incident):
    TerminalState.objects.update(presence=Presence.ONLINE)
    for alert in Alert.objects.all():
        factories.resolved(alert)
    correlation.correlate(now())

    answer = browser.post(path(incident, "acknowledge"), {"comment": "mine"}, headers=HTMX_HEADERS)

    assert answer.status_code == 409
    assert "Resolved at" in HtmlPage(answer).text("action")


@pytest.mark.parametrize(
    ("action", "fields", "state"),
    [
        ("reopen", {}, "open"),
        ("change-acknowledgement", {"contract": "time", "lasts": "3600"}, "acknowledged"),
        ("comment", {"comment": "fan ordered"}, "acknowledged"),
    ],
)
def test_an_acknowledged_incident_is_reopened_changed_and_commented_on(
    browser, incident, tanaka, action, fields, state
):
    correlation.acknowledge(incident, by=tanaka, comment="", at=now())

    answer = browser.post(path(incident, action), fields)

    incident.refresh_from_db()
    assert answer.status_code == 302
    assert incident.state == state
    assert incident.transitions.last().kind == {"reopen": "withdrawn", "change-acknowledgement": "changed"}.get(
        action, "commented"
    )


def test_a_click_claims_it_and_another_ends_the_claim(browser, page, incident, tanaka):
    claimed = browser.post(path(incident, "claim"), headers=HTMX_HEADERS)
    row = page("/alerts/").text(f"incident-{incident.pk}")
    released = browser.post(path(incident, "unclaim"), headers=HTMX_HEADERS)

    assert (claimed.status_code, released.status_code) == (200, 200)
    assert "claimed," in row
    assert [step.kind for step in incident.transitions.all()] == ["opened", "claimed", "released"]
    assert "claimed," not in page(incident.get_absolute_url()).text(f"incident-{incident.pk}")


def test_without_javascript_a_claim_is_one_confirmation(browser, incident):
    assert "Shows everyone for ten minutes" in browser.get(path(incident, "claim")).content.decode()
    assert browser.post(path(incident, "claim")).status_code == 302


@pytest.mark.parametrize("action", ["change-acknowledgement", "reopen", "unclaim"])
def test_an_action_that_does_not_apply_is_not_reported_as_done(browser, incident, action):
    answer = browser.post(path(incident, action), {"contract": "recovery"}, headers=HTMX_HEADERS)

    assert answer.status_code == 409
    assert incident.transitions.count() == 1


def test_an_incident_acknowledged_meanwhile_is_not_claimed(browser, incident, sato):
    correlation.acknowledge(incident, by=sato, comment="", at=now())

    assert browser.post(path(incident, "claim"), headers=HTMX_HEADERS).status_code == 409


def test_a_comment_must_not_be_empty(browser, incident):
    assert browser.post(path(incident, "comment"), {"comment": ""}, headers=HTMX_HEADERS).status_code == 422


def test_an_unknown_action_is_not_found(browser, incident):
    assert browser.get(path(incident, "explode")).status_code == 404


# Correlation settings


def every(**changed: str) -> dict[str, str]:
    fields = {"enabled": "on", "within_s": "60", "least": "3", "small_pct": "50", "medium_pct": "30", "large_pct": "20"}
    lost = ("site", "group", "model", "firmware", "node", "region", "fleet")
    factors = (*lost, *(f"rule-{factor}" for factor in OF_RULES))
    return {f"{factor}-{name}": value for factor in factors for name, value in fields.items()} | changed


@pytest.fixture
def editor(browser, tanaka):
    make_superuser(tanaka)
    return browser


def test_everyone_reads_the_correlation_settings_and_only_editors_change_them(page, browser, tanaka):
    seen = page("/rules/correlation/")
    answer = browser.post("/rules/correlation/", every())

    assert "4 of 8" in " ".join(seen.html.split())
    assert answer.status_code == 403
    assert not CorrelationRule.objects.exists()


def test_an_editor_changes_them_and_restores_the_defaults(editor):
    changed = editor.post("/rules/correlation/", every(**{"site-small_pct": "75", "rule-region-least": "7"}))
    needed = CorrelationRule.in_force()["site"].needed(8)
    least = SameRuleCorrelation.in_force()["region"].least
    editor.post("/rules/correlation/", {"defaults": "1"})

    assert changed.status_code == 302
    assert (needed, CorrelationRule.in_force()["site"].needed(8)) == (6, 4)
    assert (least, SameRuleCorrelation.in_force()["region"].least) == (7, 10)


@pytest.mark.parametrize(("field", "value"), [("small_pct", "101"), ("least", "1"), ("within_s", "0"), ("least", "x")])
def test_invalid_settings_are_reported_at_their_field(editor, field, value):
    answer = editor.post("/rules/correlation/", every(**{f"site-{field}": value}))

    assert answer.status_code == 422
    assert f"id_site-{field}_error" in answer.content.decode()
    assert not CorrelationRule.objects.exists()
