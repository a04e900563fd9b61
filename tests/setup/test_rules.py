"""Rules, and what came of them."""

from datetime import UTC, datetime

import pytest

from tms.alerts import lifecycle
from tms.alerts.lifecycle import Claim
from tms.alerts.models import Alert, AlertState, Rule
from tms.fleet import credentials
from tms.fleet.models import Site, Terminal

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
NEW = {
    "name": "Printer hot",
    "kind": "metric",
    "severity": "warning",
    "enabled": "on",
    "duration_s": "0",
    "hours": "always",
    "metric": "printer_c",
    "comparison": "above",
    "limit": "70",
    "hysteresis": "2",
    "clear_after_s": "0",
}

pytestmark = pytest.mark.usefixtures("default_rules")


@pytest.fixture
def terminal() -> Terminal:
    terminal = Terminal(uid="SHJ-PAY-01", site=Site.objects.create(code="SHJ", name="Shinjuku South"))
    credentials.enrol(terminal)
    return terminal


@pytest.fixture
def alert(terminal: Terminal) -> Alert:
    lifecycle.hold([Claim(Rule.objects.get(name="Paper low").pk, terminal.pk, AT, value=4.0)])
    return Alert.objects.get()


def fields(rule: Rule) -> dict[str, object]:
    values = {name: getattr(rule, name) for name in (*NEW, "name_ja", "presence", "event_code", "clear_code")}
    return {name: value for name, value in values.items() if value not in (None, "")}


def test_a_rule_is_made(admin_client):
    answer = admin_client.post("/admin/alerts/rule/add/", NEW)

    assert answer.status_code == 302
    assert Rule.objects.get(name="Printer hot").limit == 70


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"kind": ""}, "kind", "This field is required."),
        ({"limit": ""}, "limit", "A rule of this kind needs it."),
        ({"metric": "Printer C"}, "metric", "Enter a valid value."),
        ({"kind": "presence"}, "presence", "A rule of this kind needs it."),
        ({"kind": "event"}, "event_code", "A rule of this kind needs it."),
        ({"kind": "event", "event_code": "Door Open"}, "event_code", "lower-case letters"),
        ({"kind": "event", "event_code": "door", "clear_code": "door"}, "clear_code", "cannot open and clear"),
        ({"hysteresis": "-1"}, "hysteresis", "greater than or equal to 0"),
    ],
)
def test_a_rule_that_could_never_hold_is_refused_at_its_field(admin_client, wrong, field, said):
    answer = admin_client.post("/admin/alerts/rule/add/", NEW | wrong)

    assert said in str(answer.context["adminform"].form.errors[field])
    assert not Rule.objects.filter(name="Printer hot").exists()


def test_an_edited_rule_lets_go_of_what_its_former_revision_held(admin_client, alert):
    answer = admin_client.post(f"/admin/alerts/rule/{alert.rule_id}/change/", fields(alert.rule) | {"limit": "3"})

    alert.refresh_from_db()
    assert answer.status_code == 302
    assert alert.state == AlertState.RESOLVED
    assert alert.transitions.get(kind="resolved").comment == "rule changed"


@pytest.mark.parametrize("edit", [{}, {"name": "Paper runs out"}, {"name_ja": "用紙切れ間近"}])
def test_a_rule_that_was_only_renamed_or_saved_as_it_was_holds_on(admin_client, alert, edit):
    admin_client.post(f"/admin/alerts/rule/{alert.rule_id}/change/", fields(alert.rule) | edit)

    alert.refresh_from_db()
    alert.rule.refresh_from_db()
    assert alert.state == AlertState.OPEN
    assert all(getattr(alert.rule, name) == value for name, value in edit.items())


def test_a_disabled_rule_lets_go_and_an_enabled_one_is_a_new_revision(admin_client, alert):
    chosen = {"_selected_action": [alert.rule_id]}
    admin_client.post("/admin/alerts/rule/", chosen | {"action": "disable"})
    alert.refresh_from_db()
    state_when_disabled = alert.state

    admin_client.post("/admin/alerts/rule/", chosen | {"action": "enable"})

    rule = Rule.objects.get(pk=alert.rule_id)
    assert state_when_disabled == AlertState.RESOLVED
    assert (rule.enabled, rule.revision) == (True, 3)


def test_a_rule_cannot_be_deleted(admin_client, alert):
    answer = admin_client.post(f"/admin/alerts/rule/{alert.rule_id}/delete/", {"post": "yes"})

    assert answer.status_code == 403


def test_alerts_and_their_history_are_read_only(admin_client, alert):
    path = f"/admin/alerts/alert/{alert.pk}/change/"

    shown = admin_client.get(path)
    edited = admin_client.post(path, {"state": "resolved"})

    assert "Opened" in shown.content.decode()
    assert edited.status_code == 403


@pytest.mark.parametrize("page", ["alerts/rule", "alerts/alert", "commands/command", "accounts/user"])
def test_every_list_can_be_read(admin_client, alert, page):
    assert admin_client.get(f"/admin/{page}/").status_code == 200
