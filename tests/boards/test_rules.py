"""The pages on which rules are read, previewed and edited."""

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage, undo_token
from tests.support.people import make_superuser
from tms.alerts.models import Alert, Rule
from tms.alerts.rule_kinds import RULE_KINDS
from tms.alerts.rule_kinds.base import RuleKind
from tms.boards.rules.forms import RuleForm

pytestmark = pytest.mark.both

NEW = {
    "name": "Too hot",
    "metric": "temperature_c",
    "warning": "60",
    "critical": "75",
    "hysteresis": "3",
    "hours": "open",
    "duration_s": "2 min",
}


@pytest.fixture
def tanaka(tanaka):
    """An editor of rules."""
    return make_superuser(tanaka)


@pytest.fixture
def rule(fleet) -> Rule:
    return fleet.metric_rule(
        limit=60,
        severity="warning",
        higher_thresholds=[{"severity": "critical", "limit": 75}],
        hysteresis=3,
        name="Too hot",
    )


def sent(rule: Rule, **fields: str) -> dict[str, str]:
    return NEW | {"name": rule.name, "version": str(rule.version)} | fields


# Reading


def test_the_list_shows_the_condition_of_each_rule_and_its_alerts(page, fleet, rule):
    factories.alert(fleet, rule=rule)
    fleet.presence_rule(name="Away", enabled=False, site=fleet.site("OSK"))

    seen = page("/rules/")

    assert 'id="id_name"' in seen.html  # the first rule is chosen, so that the page is not empty
    assert "2 rules" in seen.text("rules-title")
    assert "Too high, all terminals" in seen.html
    assert "disabled" in seen.html
    assert f"/rules/{rule.pk}/" in seen.links()


def test_a_rule_reads_as_a_sentence(page, rule):
    seen = page(f"/rules/{rule.pk}/")

    sentence = (
        "When <b>Temperature</b> of <b>any terminal</b> is at or above <b>60 °C</b>, "
        "open an alert with severity <b>warning</b>, <b>critical</b> from <b>75 °C</b>. "
        "Clears <b>3 °C</b> inside the threshold."
    )
    assert sentence in seen.html


KINDS = pytest.mark.parametrize("kind", RULE_KINDS)


@KINDS
def test_each_kind_has_its_own_form(page, fleet, kind):
    links, form = page("/rules/new/").links(), page(f"/rules/new/{kind}/")

    assert f"/rules/new/{kind}/" in links
    assert form.rows("id_name") == ["id_name", "id_name_ja"]


def test_an_unknown_rule_is_not_found(browser, fleet):
    assert browser.get("/rules/new/round/").status_code == 404
    assert browser.get("/rules/9999/").status_code == 404


# Editing

FIELDS = NEW | {
    "window_s": "5 min",
    "presence": "offline",
    "severity": "critical",
    "event_code": "jam",
    "clear_code": "jam_ok",
    "clear_after_s": "1 h",
    "may_be_resolved_by_hand": "True",
    "firmware": "2.0",
}
"""A value of each field that a kind may have, but the lower ends of ranges."""


def filled(kind: RuleKind) -> dict[str, str]:
    """What fills in every field of a kind; the thresholds are the other way round where low values are bad."""
    fields = FIELDS | {"warning_lower": "20", "critical_lower": "10"}
    if not kind.is_further_out(kind.threshold("critical", 75, 10), kind.threshold("warning", 60, 20)):
        fields |= {"warning": FIELDS["critical"], "critical": FIELDS["warning"]}
    return {name: value for name, value in fields.items() if name in {*RuleForm.always, *kind.fields}}


@KINDS
def test_a_rule_of_each_kind_is_created_and_shows_the_entered_values(browser, fleet, kind):
    fields = filled(RULE_KINDS[kind])

    answer = browser.post(f"/rules/new/{kind}/", fields)

    rule = Rule.objects.get()
    assert answer["Location"] == f"/rules/{rule.pk}/"
    assert rule.kind_name == kind
    again = browser.post(f"/rules/{rule.pk}/", fields | {"version": "1"})
    rule.refresh_from_db()
    assert (again.status_code, rule.version) == (302, 1)


def test_thresholds_are_sorted_by_severity(browser, fleet):
    browser.post("/rules/new/above/", NEW | {"info": "50"})

    rule = Rule.objects.get()
    assert [(one["severity"], one["limit"]) for one in rule.thresholds] == [
        ("info", 50),
        ("warning", 60),
        ("critical", 75),
    ]
    assert (rule.duration_s, rule.changed_by.username) == (120, "tanaka")


WRONG = [
    ("above", {"name": ""}, "id_name_error", "This field is required."),
    ("above", {"warning": "", "critical": ""}, "id_warning_error", "at least one severity"),
    ("above", {"critical": "50"}, "id_critical_error", "needs a threshold further from normal"),
    ("below", {}, "id_critical_error", "needs a threshold further from normal"),
    ("above", {"metric": "Printer C"}, "id_metric_error", "No metric has this name. Choose one from the list"),
    ("above", {"hysteresis": "-1"}, "id_hysteresis_error", "greater than or equal to 0"),
    ("above", {"duration_s": "soon"}, "id_duration_s_error", "Enter a duration such as"),
    ("above", {"warning": "nan"}, "id_warning_error", "Enter a number."),
    ("outside", {"critical": "", "warning_lower": ""}, "id_warning_lower_error", "Required for this kind of rule."),
    ("outside", {"critical": "", "warning_lower": "70"}, "id_warning_lower_error", "must be below the upper one"),
    ("outside", {"critical": "", "warning_lower": "55"}, "id_hysteresis_error", "would never clear"),
    ("rising", {"window_s": ""}, "id_window_s_error", "This field is required."),
    ("event", {"event_code": "Door Open"}, "id_event_code_error", "lower-case letters"),
    ("event", {"event_code": "door", "clear_code": "door"}, "id_clear_code_error", "cannot open and clear"),
]


METRICS = [
    # typed, stored, shown again
    ("cpu", "cpu_pct", "CPU"),
    ("Queue length", "queue_length", "Queue length"),
    ("door.opened", "door.opened", "door.opened"),
]


@pytest.mark.parametrize(("typed", "stored", "shown"), METRICS)
def test_a_metric_is_chosen_by_its_name_and_shown_with_its_latest_values(browser, fleet, typed, stored, shown):
    for value in (3, 12):
        fleet.online(metrics={"queue_length": value, "cpu_pct": 40})

    browser.post("/rules/new/above/", FIELDS | {"metric": typed})

    seen = HtmlPage(browser.get(f"/rules/{Rule.objects.get(metric=stored).pk}/"))
    assert f'value="{shown}"' in seen.html
    assert '<option value="CPU">cpu_pct, now 40%</option>' in seen.html
    assert '<option value="Queue length">queue_length, now 3–12</option>' in seen.html


@pytest.mark.parametrize(("kind", "wrong", "element", "message"), WRONG)
def test_an_impossible_condition_is_refused_at_its_field(browser, fleet, kind, wrong, element, message):
    answer = browser.post(f"/rules/new/{kind}/", FIELDS | wrong)

    seen = HtmlPage(answer)
    assert answer.status_code == 422
    assert message in seen.text(element)
    assert not Rule.objects.exists()


def test_the_names_of_rules_are_unique(browser, rule):
    answer = browser.post("/rules/new/above/", NEW)

    assert answer.status_code == 422
    assert "A rule with this name already exists. Enter another name." in answer.content.decode()


def test_an_edit_resolves_alerts_of_the_previous_revision_and_a_new_name_does_not(browser, fleet, rule):
    alert = factories.alert(fleet, rule=rule)
    browser.post(f"/rules/{rule.pk}/", sent(rule, name="Hot", hours="always", duration_s="0"))
    after_renaming = Alert.objects.get(pk=alert.pk).state
    rule.refresh_from_db()

    browser.post(f"/rules/{rule.pk}/", sent(rule, warning="65", hours="always", duration_s="0"))

    alert.refresh_from_db()
    assert (after_renaming, alert.state) == ("open", "resolved")
    assert alert.transitions.get(kind="resolved").comment == "rule changed"


def test_an_outdated_form_shows_who_changed_what_and_can_be_saved_again(browser, fleet, rule, sato):
    browser.post(f"/rules/{rule.pk}/", sent(rule, warning="61", version="1"))
    Rule.objects.update(changed_by=sato)

    late = browser.post(f"/rules/{rule.pk}/", sent(rule, warning="62", version="1"))
    seen = HtmlPage(late)
    before = Rule.objects.get().limit
    browser.post(f"/rules/{rule.pk}/", sent(rule, warning="62", version=seen.attribute("id_version", "value")))

    assert late.status_code == 409
    assert "佐藤" in seen.html
    assert "<b>61 °C</b>" in seen.html
    assert seen.attribute("id_warning", "value") == "62"
    assert (before, Rule.objects.get().limit) == (61, 62)


def test_a_form_of_a_deleted_rule_shows_that(browser, rule):
    browser.post(f"/rules/{rule.pk}/delete/", {"version": "1"})

    answer = browser.post(f"/rules/{rule.pk}/", sent(rule))

    assert answer.status_code == 404


def test_a_rule_is_switched_off_and_on(browser, fleet, rule):
    alert = factories.alert(fleet, rule=rule)
    browser.post(f"/rules/{rule.pk}/switch/", {"enabled": "0"})
    alert.refresh_from_db()
    state_when_off = alert.state

    for _ in range(2):
        browser.post(f"/rules/{rule.pk}/switch/", {"enabled": "1"})

    rule.refresh_from_db()
    assert (state_when_off, rule.enabled, rule.version) == ("resolved", True, 3)


def test_disabling_a_rule_says_how_many_alerts_it_resolves_and_is_undone(browser, page, fleet, rule):
    for _ in range(2):
        factories.alert(fleet, rule=rule)
    before = page(f"/rules/{rule.pk}/")

    browser.post(f"/rules/{rule.pk}/switch/", {"enabled": "0"})
    after = browser.get("/rules/")
    answer = browser.post("/undo/", {"token": undo_token(after)}, headers={"HX-Request": "true"})

    rule.refresh_from_db()
    assert "Disabling resolves 2 alerts" in " ".join(before.html.split())
    assert HtmlPage(after).text("toasts").startswith("Disabled: Too hot, 2 alerts resolved")
    assert "Rule enabled again" in HtmlPage(answer).text("toasts")
    assert rule.enabled


def test_saving_a_rule_is_confirmed(browser, fleet, rule):
    answer = browser.post(f"/rules/{rule.pk}/", sent(rule, warning="61"), follow=True)

    assert "Saved" in HtmlPage(answer).text("toasts")


def test_the_deletion_of_a_rule_shows_its_effect_on_alerts_first(page, fleet, rule):
    factories.resolved(factories.alert(fleet, rule=rule))
    factories.alert(fleet, rule=rule)

    seen = page(f"/rules/{rule.pk}/delete/")

    assert "1 unresolved alert of this rule is resolved at once" in " ".join(seen.html.split())
    assert "Its 2 alerts stay in the history under this name" in " ".join(seen.html.split())


def test_a_deleted_rule_resolves_its_alerts_and_keeps_its_history(browser, page, fleet, rule):
    alert = factories.alert(fleet, rule=rule)

    answer = browser.post(f"/rules/{rule.pk}/delete/", {"version": "1"})

    alert.refresh_from_db()
    assert answer["Location"] == "/rules/"
    assert (alert.state, alert.transitions.get(kind="resolved").comment) == ("resolved", "rule deleted")
    assert "Too hot" in page(f"/alerts/{alert.pk}/").html
    assert "Too hot" not in page("/rules/").html
    assert browser.post("/rules/new/above/", NEW).status_code == 302


def test_people_without_the_permission_read_and_preview_and_change_nothing(browser, page, fleet, rule, tanaka):
    tanaka.is_superuser = False
    tanaka.save()

    seen = page(f"/rules/{rule.pk}/")
    answers = [
        browser.post(path, sent(rule, warning="1"))
        for path in (
            f"/rules/{rule.pk}/",
            f"/rules/{rule.pk}/switch/",
            f"/rules/{rule.pk}/delete/",
            "/rules/new/above/",
        )
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert browser.get("/rules/import/").status_code == 403
    assert "/rules/new/" not in seen.links()
    assert browser.post(f"/rules/{rule.pk}/preview/", sent(rule)).status_code == 200
    assert Rule.objects.get().version == 1


# Preview


@pytest.fixture
def hot(fleet):
    """A terminal that was at 80 °C for five minutes, an hour ago, and one that was not."""
    warm, cool = fleet.online(uid="WARM-1"), fleet.online(uid="COOL-1")
    for minute in range(20):
        value = 80.0 if 5 <= minute < 10 else 50.0
        factories.report(warm, minute, at=now(60 * minute - 3600), metrics={"temperature_c": value})
        factories.report(cool, minute, at=now(60 * minute - 3600), metrics={"temperature_c": 50.0})
    return warm


def preview(browser, rule: Rule, **fields: str) -> HtmlPage:
    return HtmlPage(browser.post(f"/rules/{rule.pk}/preview/", sent(rule, **fields), headers=HTMX_HEADERS))


def test_a_preview_shows_how_often_and_where_a_rule_would_have_opened_alerts(browser, rule, hot):
    seen = preview(browser, rule, duration_s="0")

    text = " ".join(seen.html.split())
    assert "Would have triggered 1 time in the last 24 hours" in text
    assert "On 1 of 2 terminals" in text
    assert "/terminals/WARM-1/" in seen.links()
    assert "80 °C" in seen.html
    assert "5 min" in seen.html


def test_a_preview_shows_the_entered_and_the_saved_rule(browser, rule, hot):
    seen = preview(browser, rule, warning="85", critical="90", duration_s="0")

    text = " ".join(seen.html.split())
    assert "No alerts in the last 24 hours" in text
    assert "Saved version: 1 time." in text
    assert Rule.objects.get().limit == 60


def test_a_preview_respects_the_duration(browser, rule, hot):
    assert "triggered 1 time" in preview(browser, rule, duration_s="4 min").html
    assert "No alerts in the last 24 hours" in " ".join(preview(browser, rule, duration_s="6 min").html.split())


def test_a_preview_shows_simulated_flapping(browser, rule, fleet):
    unstable = fleet.online(uid="RST-1")
    for minute in range(16):
        temperature_c = 50.0 if minute % 2 else 80.0
        factories.report(unstable, minute, at=now(60 * minute - 7200), metrics={"temperature_c": temperature_c})

    text = " ".join(preview(browser, rule, duration_s="0").html.split())

    assert "Would have triggered 4 times in the last 24 hours" in text
    assert "flapping, 16 changes" in text


def test_without_javascript_a_preview_is_a_page_that_keeps_the_input(browser, rule, hot):
    seen = HtmlPage(browser.post(f"/rules/{rule.pk}/preview/", sent(rule, warning="61")))

    assert "Would have triggered" in seen.html
    assert seen.attribute("id_warning", "value") == "61"


def test_an_invalid_form_cannot_be_previewed_and_shows_why(browser, rule):
    answer = browser.post(f"/rules/{rule.pk}/preview/", sent(rule, warning="many"), headers=HTMX_HEADERS)

    assert answer.status_code == 200
    assert "Enter a number." in answer.content.decode()
