"""Alerts over the API: read and changed by the same services as on the boards."""

from datetime import timedelta

import pytest

from tests.support import factories, people
from tests.support.builders import AT, now
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tms.accounts.models import User
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Alert, Incident

pytestmark = pytest.mark.both


@pytest.fixture
def opened(fleet):
    """Creates an open alert of a new terminal."""
    rule = fleet.metric_rule(name="Overheating")

    def make(*, rule=rule, severity="warning", at=AT, **terminal) -> Alert:
        online = fleet.online(**terminal)
        lifecycle.trigger([RuleTriggered(rule.pk, online.pk, at, severity=severity, value=91.5)])
        return Alert.objects.get(terminal=online, rule=rule)

    return make


def ids(answer) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


def in_s(seconds: float) -> str:
    return (now() + timedelta(seconds=seconds)).isoformat()


def test_an_alert_is_returned_with_its_history(watcher, opened):
    alert = opened(uid="T-1", label="Lane 3")
    watcher.post(f"/alerts/{alert.pk}/comment", {"comment": "looking"})

    result = watcher.get(f"/alerts/{alert.pk}").json()

    assert result["rule"] == {"id": alert.rule_id, "name": "Overheating"}
    assert result["terminal"] == {"uid": "T-1", "label": "Lane 3"}
    assert (result["severity"], result["state"], result["value"], result["comment"]) == (
        "warning",
        "open",
        91.5,
        "looking",
    )
    assert [(step["kind"], step["by"]) for step in result["history"]] == [("opened", None), ("commented", "aiko")]


def test_alerts_are_filtered_the_newest_first(watcher, fleet, opened):
    hot = opened(severity="critical", uid="T-1")
    other = opened(rule=fleet.metric_rule("cpu", name="Busy"), uid="T-2", site=fleet.site("OSK"), at=AT - timedelta(1))
    lifecycle.clear({(hot.rule_id, hot.terminal_id)}, at=AT)

    assert ids(watcher.get("/alerts")) == [other.pk, hot.pk]
    assert ids(watcher.get("/alerts", {"state": ["open", "acknowledged"]})) == [other.pk]
    assert ids(watcher.get("/alerts", {"severity": "critical"})) == [hot.pk]
    assert ids(watcher.get("/alerts", {"site": "OSK"})) == ids(watcher.get("/alerts", {"q": "busy"})) == [other.pk]
    assert ids(watcher.get("/alerts", {"rule": hot.rule_id})) == ids(watcher.get("/alerts", {"terminal": "T-1"}))
    assert ids(watcher.get("/alerts", {"opened_since": (AT - timedelta(hours=1)).isoformat()})) == [hot.pk]
    assert invalid_fields(watcher.get("/alerts", {"opened_since": "2026-11-25T09:00:00"})) == ["?opened_since"]


def test_flapping_alerts_are_found(watcher, fleet, opened):
    steady, flapping = opened(), factories.flapping(fleet)

    assert ids(watcher.get("/alerts", {"is_flapping": "true"})) == [flapping.pk]
    assert {steady.pk, flapping.pk} & set(ids(watcher.get("/alerts", {"is_flapping": "false"}))) == {steady.pk}
    assert watcher.get(f"/alerts/{flapping.pk}").json()["is_flapping"] is True


def test_the_number_of_queries_does_not_grow_with_the_page(watcher, opened, django_assert_max_num_queries):
    for _ in range(10):
        opened()

    with django_assert_max_num_queries(5):
        assert len(ids(watcher.get("/alerts"))) == 10


def test_acknowledging_has_a_contract_and_a_second_one_reports_the_first(watcher, editor, opened):
    alert, until = opened(), in_s(3600)
    terms = {"contract": "time", "until": until, "comment": "mine"}

    taken = watcher.post(f"/alerts/{alert.pk}/acknowledge", terms)
    again = watcher.post(f"/alerts/{alert.pk}/acknowledge", terms)
    second = editor.post(f"/alerts/{alert.pk}/acknowledge", {})

    assert taken.status_code == again.status_code == 200
    result = taken.json()
    assert (result["state"], result["acknowledged_by"], result["contract"]) == ("acknowledged", "aiko", "time")
    assert result["until"] is not None
    assert problem_of(second) == (409, "tms:already-acknowledged")
    assert "aiko" in second.json()["detail"]


def test_a_recovery_wins_over_every_action(watcher, opened):
    alert = opened()
    lifecycle.apply_events([RuleCleared(alert.rule_id, alert.terminal_id, AT)])

    for action, terms in (("acknowledge", {}), ("snooze", {"until": in_s(60)}), ("comment", {"comment": "?"})):
        assert problem_of(watcher.post(f"/alerts/{alert.pk}/{action}", terms)) == (409, "tms:already-resolved")


def test_a_changed_version_is_refused(watcher, opened):
    alert = opened()
    seen = watcher.get(f"/alerts/{alert.pk}").json()["version"]
    watcher.post(f"/alerts/{alert.pk}/snooze", {"until": in_s(600)})

    for action, terms in (("acknowledge", {}), ("assign", {"to": "aiko"})):
        answer = watcher.post(f"/alerts/{alert.pk}/{action}", terms | {"version": seen})
        assert problem_of(answer) == (409, "tms:changed-meanwhile")


def test_each_action_applies_to_one_alert(watcher, fleet, opened):
    alert = opened(rule=fleet.event_rule(may_be_resolved_by_hand=True))
    people.person("ken", of="Operator")

    def do(action: str, **terms):
        answer = watcher.post(f"/alerts/{alert.pk}/{action}", terms)
        assert answer.status_code == 200, (action, answer.content)
        return answer.json()

    assert do("claim")["claimed_by"] == "aiko"
    assert do("unclaim")["claimed_by"] is None
    assert do("snooze", until=in_s(600))["state"] == "snoozed"
    assert do("reopen", comment="no")["state"] == "open"
    assert do("assign", to="ken")["assigned_to"] == "ken"
    assert do("acknowledge")["contract"] == "recovery"
    assert do("change-acknowledgement", contract="worse")["contract"] == "worse"
    assert do("comment", comment="  hm ")["comment"] == "hm"
    assert do("comment", comment="hm")["comment"] == "hm"
    assert do("resolve", comment="swept")["state"] == "resolved"


def test_an_action_that_does_not_apply_is_refused(watcher, opened):
    alert = opened()

    for action in ("resolve", "reopen", "change-acknowledgement", "unclaim"):
        assert problem_of(watcher.post(f"/alerts/{alert.pk}/{action}", {})) == (409, "tms:not-applicable")


BAD_TERMS = [
    ("acknowledge", {"contract": "forever"}, "$.contract"),
    ("acknowledge", {"contract": "time"}, "$.until"),
    ("acknowledge", {"until": "2026-11-25T10:00:00Z"}, "$.until"),
    ("acknowledge", {"contract": "time", "until": "2026-11-25T10:00:00"}, "$.until"),
    ("acknowledge", {"contract": "time", "until": "2099-01-01T00:00:00Z"}, "$.until"),
    ("acknowledge", {"contract": "time", "until": "2001-01-01T00:00:00Z"}, "$.until"),
    ("acknowledge", {"colour": "red"}, "$.colour"),
    ("acknowledge", {"version": 10**30}, "$.version"),
    ("acknowledge", {"comment": "x" * 501}, "$.comment"),
    ("acknowledge", {"comment": "a\0b"}, "$.comment"),
    ("acknowledge", [], "$"),
    ("acknowledge", None, "$"),
    ("snooze", {}, "$.until"),
    ("snooze", {"until": 5e300}, "$.until"),
    ("assign", {"to": "nobody"}, "$.to"),
    ("comment", {"comment": "  "}, "$.comment"),
]


@pytest.mark.parametrize(("action", "terms", "where"), BAD_TERMS)
def test_invalid_fields_are_refused_with_their_location(watcher, opened, action, terms, where):
    alert = opened()

    answer = watcher.post(f"/alerts/{alert.pk}/{action}", terms)

    assert invalid_fields(answer) == [where]
    assert Alert.objects.get().version == alert.version


@pytest.fixture
def limited(fleet, opened) -> ApiClient:
    """An operator of EAST only. One incident has an alert there and one at WEST."""
    alerts = [opened(site=fleet.site(code)) for code in ("EAST", "WEST")]
    incident = Incident.objects.create(
        factor="firmware", key="4.8", severity="critical", opened_at=AT, unchanged_since=AT, size=2, lost=2
    )
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(incident=incident)
    mori = people.person("mori", of=None)
    people.grant(mori, "Operator", site=alerts[0].terminal.site)
    return ApiClient.of(mori)


def test_an_incident_that_a_person_does_not_see_is_neither_named_nor_a_filter(watcher, limited):
    incident = Incident.objects.get()
    matching = {"selection": {"matching": {"incident": incident.pk}}}

    (mine,) = limited.get("/alerts").json()["items"]

    assert [each["incident"] for each in watcher.get("/alerts").json()["items"]] == [incident.pk] * 2
    assert mine["incident"] is None
    assert limited.get(f"/alerts/{mine['id']}").json()["incident"] is None
    assert limited.post(f"/alerts/{mine['id']}/comment", {"comment": "hm"}).json()["incident"] is None
    assert limited.get(f"/alerts?incident={incident.pk}").json()["items"] == []
    assert limited.post("/alerts/acknowledge", matching).json() == {"changed": 0}
    assert watcher.post("/alerts/acknowledge", matching).json() == {"changed": 2}


@pytest.mark.usefixtures("limited")
def test_a_person_who_may_not_handle_all_of_the_alerts_is_not_assigned_any(watcher):
    selection = {"matching": {"severity": ["warning"]}}

    answer = watcher.post("/alerts/assign", {"selection": selection, "to": "mori"})

    assert invalid_fields(answer) == ["$.to"]
    assert not Alert.objects.filter(assigned_to__isnull=False).exists()


def test_many_are_changed_in_one_transaction_by_number_or_by_filter(watcher, fleet, opened):
    first, second, third = opened(), opened(), opened(severity="critical")

    by_number = watcher.post("/alerts/acknowledge", {"selection": {"ids": [first.pk, second.pk, 10**9]}})
    by_match = watcher.post(
        "/alerts/snooze", {"selection": {"matching": {"severity": ["critical"]}}, "until": in_s(60), "comment": "later"}
    )
    none_later = {"selection": {"matching": {}, "opened_until": "2020-01-01T00:00:00Z"}, "comment": "no"}

    assert (by_number.json(), by_match.json()) == ({"changed": 2}, {"changed": 1})
    assert set(Alert.objects.values_list("state", flat=True)) == {"acknowledged", "snoozed"}
    assert watcher.post("/alerts/comment", none_later).json() == {"changed": 0}
    third.refresh_from_db()
    assert third.comment == "later"


@pytest.mark.parametrize(
    ("selection", "where"),
    [
        ({}, "$.selection"),
        ({"ids": []}, "$.selection.ids"),
        ({"ids": [1], "matching": {}}, "$.selection"),
        ({"ids": [0]}, "$.selection.ids[0]"),
        ({"ids": [2**63]}, "$.selection.ids[0]"),
        ({"ids": ["x"] * 2}, "$.selection.ids[0]"),
        ({"matching": {"colour": "red"}}, "$.selection.matching.colour"),
        ({"matching": {"cursor": "x"}}, "$.selection.matching.cursor"),
    ],
)
def test_an_invalid_selection_is_refused_with_its_location(watcher, selection, where):
    assert invalid_fields(watcher.post("/alerts/acknowledge", {"selection": selection}))[0] == where


def test_an_action_on_an_unknown_alert_is_refused(watcher):
    for pk in (1, 2**63, 10**40):
        assert problem_of(watcher.get(f"/alerts/{pk}")) == (404, "tms:not-found")
        assert problem_of(watcher.post(f"/alerts/{pk}/acknowledge", {})) == (404, "tms:not-found")


def test_the_actor_is_the_person_of_the_token(watcher, opened):
    alert = opened()

    watcher.post(f"/alerts/{alert.pk}/acknowledge", {})

    alert.refresh_from_db()
    assert alert.acknowledged_by == User.objects.get(username="aiko")
