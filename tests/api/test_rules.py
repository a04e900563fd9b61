"""Rules over the API: the same fields as in a file, edited with If-Match."""

import pytest

from tests.api.rule_bodies import ABOVE_70
from tests.support.builders import now
from tests.support.rest import invalid_fields, problem_of
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Rule
from tms.alerts.rule_editing.entry import RuleEntry
from tms.alerts.rule_editing.schemas import RuleFields
from tms.telemetry.models import Event

pytestmark = pytest.mark.both


@pytest.fixture
def scopes(fleet) -> None:
    fleet.site("SJK")
    fleet.group("Lobby")


@pytest.fixture
def made(editor, scopes):
    answer = editor.post("/rules", ABOVE_70)
    assert answer.status_code == 201, answer.content
    return answer


def test_a_rule_is_created_and_returned_as_it_was_written(editor, made):
    result = editor.get(made["Location"])

    assert result.json() == made.json()
    assert all(result.json()[name] == ABOVE_70[name] for name in set(ABOVE_70) - {"thresholds"})
    assert [(step["severity"], step["limit"]) for step in result.json()["thresholds"]] == [
        ("warning", 60.0),
        ("critical", 75.0),
    ]
    assert result.json()["changed_by"] == "boss"
    assert result["ETag"] == made["ETag"] == f'"{result.json()["version"]}"'


def test_it_has_the_fields_of_a_file():
    assert set(RuleFields.model_fields) == set(RuleEntry.__struct_fields__)


def test_rules_are_listed_and_filtered(editor, fleet):
    fleet.presence_rule(name="Offline", enabled=False)
    fleet.metric_rule(name="Busy")

    def names(**query):
        return [rule["name"] for rule in editor.get("/rules", query).json()["items"]]

    assert names() == ["Offline", "Busy"]
    assert names(enabled="false") == names(kind="presence") == ["Offline"]


def test_changing_fields_keeps_the_others(editor, made):
    path = made["Location"]

    changed = editor.send("PATCH", path, {"duration_s": 120, "group": ""}, If_Match=made["ETag"])

    assert changed.status_code == 200, changed.content
    result = changed.json()
    assert (result["duration_s"], result["group"], result["site"], result["hysteresis"]) == (120, "", "SJK", 3)
    assert changed["ETag"] != made["ETag"]


def test_replacing_resets_omitted_fields(editor, made):
    body = {"name": "Offline", "kind": "presence", "severity": "critical", "presence": "offline"}

    result = editor.send("PUT", made["Location"], body, If_Match=made["ETag"]).json()

    assert (result["kind"], result["metric"], result["thresholds"], result["site"]) == ("presence", "", [], "")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_unseen_version_cannot_be_overwritten(editor, made, method):
    editor.send("PATCH", made["Location"], {"duration_s": 5}, If_Match="*")

    stale = editor.send(method, made["Location"], ABOVE_70, If_Match=f'"0", {made["ETag"]}')
    blind = editor.send(method, made["Location"], ABOVE_70)

    assert problem_of(stale) == (412, "tms:rule-changed")
    assert stale["ETag"] == editor.get(made["Location"])["ETag"]
    assert problem_of(blind) == (428, "tms:if-match-missing")
    assert Rule.objects.get().duration_s == 5


def test_deleting_resolves_its_alerts(editor, fleet, made):
    lifecycle.trigger([RuleTriggered(Rule.objects.get().pk, fleet.online().pk, now())])

    answer = editor.send("DELETE", made["Location"], If_Match=made["ETag"])

    assert (answer.status_code, answer.content) == (204, b"")
    assert not Alert.objects.unresolved().exists()
    assert editor.get(made["Location"]).status_code == 404


def test_switching_twice_has_no_further_effect(editor, made):
    off = editor.post(f"{made['Location']}/switch", {"enabled": False})
    again = editor.post(f"{made['Location']}/switch", {"enabled": False})

    assert off.json()["enabled"] is False
    assert off["ETag"] == again["ETag"] != made["ETag"]


def test_only_people_who_may_edit_rules_do_so_and_everyone_may_preview(watcher, made):
    path = made["Location"]

    for method, address in (("POST", "/rules"), ("PUT", path), ("PATCH", path), ("DELETE", path)):
        assert problem_of(watcher.send(method, address, ABOVE_70, If_Match="*")) == (403, "tms:forbidden")
    assert problem_of(watcher.post(f"{path}/switch", {"enabled": False})) == (403, "tms:forbidden")
    assert watcher.get(path).status_code == 200
    assert watcher.post("/rules/preview", {"rule": ABOVE_70 | {"name": "Other"}}).status_code == 200


def test_a_preview_returns_the_simulated_alerts(watcher, fleet):
    terminal = fleet.online()
    Event.objects.create(terminal=terminal, at=now(), code="reader_fault")
    rule = {"name": "Fault", "kind": "event", "event_code": "reader_fault", "severity": "critical"}

    result = watcher.post("/rules/preview", {"rule": rule, "hours": 1}).json()

    assert (result["terminals"], result["evaluated"], result["is_cut"]) == (1, 1, False)
    assert Rule.objects.count() == 0


BAD_RULES = [
    ({"name": ""}, "$.name"),
    ({"name": "n" * 101}, "$.name"),
    ({"name": 5}, "$.name"),
    ({"name": "a\0"}, "$.name"),
    ({"kind": "weather"}, "$.kind"),
    ({"colour": "red"}, "$.colour"),
    ({"metric": ""}, "$.metric"),
    ({"metric": "Temp C"}, "$.metric"),
    ({"comparison": "sideways"}, "$.comparison"),
    ({"comparison": "outside"}, "$.thresholds"),
    ({"comparison": "rising"}, "$.window_s"),
    ({"thresholds": []}, "$.thresholds"),
    ({"thresholds": [{"severity": "bad", "limit": 1}]}, "$.thresholds[0].severity"),
    ({"thresholds": [{"severity": "warning"}]}, "$.thresholds[0].limit"),
    ({"thresholds": [{"severity": "warning", "limit": 80}, {"severity": "critical", "limit": 75}]}, "$.thresholds"),
    ({"thresholds": [{"severity": "warning", "limit": 1, "colour": 1}]}, "$.thresholds[0].colour"),
    ({"severity": "critical"}, "$.severity"),
    ({"hysteresis": -1}, "$.hysteresis"),
    ({"duration_s": -1}, "$.duration_s"),
    ({"duration_s": 1e300}, "$.duration_s"),
    ({"window_s": 1e9}, "$.window_s"),
    ({"hours": "sometimes"}, "$.hours"),
    ({"site": "NO"}, "$.site"),
    ({"group": "No"}, "$.group"),
    ({"terminal_kind": "toaster"}, "$.terminal_kind"),
    ({"model": "m" * 65}, "$.model"),
]


@pytest.mark.parametrize(("change", "where"), BAD_RULES)
def test_an_invalid_rule_is_refused_with_its_location(editor, scopes, change, where):
    assert where in invalid_fields(editor.post("/rules", ABOVE_70 | change))
    assert invalid_fields(editor.post("/rules/preview", {"rule": ABOVE_70 | change}))
    assert not Rule.objects.exists()


def test_names_are_unique(editor, made):
    answer = editor.post("/rules", ABOVE_70)

    assert invalid_fields(answer) == ["$"]
    assert "name already" in answer.json()["detail"]


def test_a_rule_created_twice_with_one_key_is_created_once(editor, scopes):
    first = editor.post("/rules", ABOVE_70, Idempotency_Key="k")
    again = editor.post("/rules", ABOVE_70, Idempotency_Key="k")

    assert (first.status_code, again.status_code) == (201, 201)
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert Rule.objects.count() == 1
