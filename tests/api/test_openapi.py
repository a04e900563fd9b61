"""The OpenAPI description matches the API."""

import re
from collections import Counter
from typing import Any

import jsonschema
import pytest
from django.urls import get_resolver
from ninja import Schema
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.rule_bodies import ABOVE_70
from tests.support.builders import AT
from tests.support.notifications.destinations import webhook_destination
from tests.support.rest import problem_of
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def description(client) -> dict[str, Any]:
    return client.get("/api/v1/openapi.json").json()


def operations(description: dict[str, Any]):
    for path, there in description["paths"].items():
        for method, operation in there.items():
            if method in METHODS:
                yield path, method, operation


@pytest.mark.django_db
def test_it_is_valid_openapi(description):
    OpenAPIV31SpecValidator(description).validate()

    assert description["openapi"].startswith("3.1")


def test_the_names_of_schemas_are_unique():
    """Otherwise one would be described as the other."""
    assert get_resolver().url_patterns  # imports all schemas

    ours = Counter(schema.__name__ for schema in below(Schema) if schema.__module__.startswith("tms."))

    assert [name for name, number in ours.items() if number > 1] == []


def below(kind: type) -> set[type]:
    return {one for child in kind.__subclasses__() for one in {child, *below(child)}}


@pytest.mark.django_db
def test_every_operation_has_a_unique_name_a_summary_and_its_errors(description):
    names = [operation["operationId"] for _, _, operation in operations(description)]

    assert len(names) == len(set(names)) > 20
    for path, method, operation in operations(description):
        assert operation["summary"], (path, method)
        assert operation["security"] == [{"Bearer": []}], (path, method)
        assert {"401", "429"} <= operation["responses"].keys(), (path, method)
        assert ("404" in operation["responses"]) == ("{" in path), (path, method)
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


@pytest.mark.django_db
def test_idempotent_operations_are_described_as_such(description):
    posts = [operation for _, method, operation in operations(description) if method == "post"]
    keyed = [one for one in posts if any(known["name"] == "Idempotency-Key" for known in one.get("parameters", ()))]

    assert {"acknowledge_alert", "snooze_alerts"} <= {one["operationId"] for one in keyed}
    assert all("409" in one["responses"] for one in keyed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("LocalTime", ["09:00", "23:59:59", "00:00:00.5"], ["9:00", "24:00", "09:00Z", "09:00+09:00", "09:00:60"]),
        (
            "LocalDateTime",
            ["2026-11-29T02:00:00", "2026-11-29T02:00"],
            ["2026-11-29T02:00:00Z", "2026-13-01T00:00", "02:00"],
        ),
    ],
)
def test_local_times_are_described_without_an_offset(description, name, right, wrong):
    """The formats `time` and `date-time` of JSON Schema require one, so every local time would be invalid."""
    schema = description["components"]["schemas"][name]

    assert schema["type"] == "string"
    assert "format" not in schema
    assert [text for text in right if not re.search(schema["pattern"], text)] == []
    assert [text for text in wrong if re.search(schema["pattern"], text)] == []


@pytest.mark.django_db
def test_it_needs_no_token(client):
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert problem_of(client.post("/api/v1/openapi.json")) == (405, "tms:unknown-method")


class Described:
    """Finds the description of a response."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.paths = {
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))): there
            for path, there in description["paths"].items()
        }

    def check(self, method: str, path: str, answer: Any) -> None:
        patterns = (there for pattern, there in self.paths.items() if pattern.fullmatch(path))
        there = self.description["paths"].get(path) or next(patterns)
        result = there[method.lower()]["responses"][str(answer.status_code)]
        [(media, content)] = result["content"].items()
        assert answer["content-type"].startswith(media)
        schema = content["schema"] | {"components": self.description["components"]}
        jsonschema.validate(answer.json(), schema)


@pytest.fixture
def there(fleet) -> dict[str, Any]:
    """One of each."""
    terminal = fleet.online(uid="T-1", parent=fleet.terminal(uid="R-1"), metrics={"cpu": 1.5})
    fleet.group("Lobby", terminal)
    rule = fleet.event_rule(may_be_resolved_by_hand=True, name="Fault")
    lifecycle.trigger([RuleTriggered(rule.pk, terminal.pk, AT)])
    hook = webhook_destination("https://a.example.com/")
    sent = Delivery.objects.create(
        key="k", destination=hook, kind="opened", language="en", created_at=AT, due_at=AT, give_up_at=AT + GIVE_UP_AFTER
    )
    return {"alert": Alert.objects.get().pk, "rule": rule.pk, "hook": hook.pk, "delivery": sent.pk}


WINDOW = {"note": "x", "sites": ["SJK"], "starts_at": "2099-01-01T00:00:00", "ends_at": "2099-01-01T01:00:00"}
CALLS = [
    ("GET", "/sites", None, 200),
    ("GET", "/sites/SJK", None, 200),
    ("GET", "/sites/NO", None, 404),
    ("GET", "/groups", None, 200),
    ("GET", "/terminals", None, 200),
    ("GET", "/terminals/T-1", None, 200),
    ("POST", "/regions", {"name": "Kanto"}, 201),
    ("GET", "/regions", None, 200),
    ("POST", "/sites", {"code": "OSK", "name": "Osaka", "region": "Kanto"}, 201),
    ("PATCH", "/sites/OSK", {"name_ja": "大阪"}, 200),
    ("POST", "/terminals", {"uid": "OSK-1", "site": "OSK"}, 201),
    ("POST", "/terminals/OSK-1/replace", {"serial": "K21"}, 201),
    ("POST", "/terminals/OSK-1/keys/rotate", {}, 200),
    ("GET", "/terminals/OSK-1/keys", None, 200),
    ("GET", "/terminals/OSK-1/placements", None, 200),
    ("GET", "/terminals/OSK-1/identity-changes", None, 200),
    ("GET", "/devices", None, 200),
    ("POST", "/enrolment-tokens", {"region": "Kanto", "uses": 3, "valid_hours": 48}, 201),
    ("POST", "/terminals/OSK-1/retire", {}, 200),
    ("POST", "/terminals/OSK-1/keys", {}, 409),
    ("POST", "/groups", {"name": "Lobby"}, 409),
    ("GET", "/alerts", None, 200),
    ("GET", "/alerts/{alert}", None, 200),
    ("POST", "/alerts/{alert}/comment", {"comment": "x"}, 200),
    ("POST", "/alerts/{alert}/comment", {}, 422),
    ("POST", "/alerts/{alert}/comment", b"{", 400),
    ("POST", "/alerts/{alert}/reopen", {}, 409),
    ("POST", "/alerts/{alert}/claim", {}, 200),
    ("POST", "/alerts/{alert}/acknowledge", {}, 200),
    ("POST", "/alerts/{alert}/resolve", {}, 200),
    ("POST", "/alerts/comment", {"selection": {"ids": [1]}, "comment": "x"}, 200),
    ("GET", "/rules", None, 200),
    ("GET", "/rules/{rule}", None, 200),
    ("POST", "/rules", ABOVE_70 | {"group": "", "name": "Other"}, 201),
    ("POST", "/rules/preview", {"rule": ABOVE_70 | {"group": "", "name": "Third"}}, 200),
    ("PATCH", "/rules/{rule}", {"enabled": False}, 200),
    ("POST", "/rules/{rule}/switch", {"enabled": True}, 200),
    ("POST", "/maintenance", WINDOW, 201),
    ("POST", "/maintenance/preview", WINDOW, 200),
    ("GET", "/maintenance", None, 200),
    ("GET", "/destinations", None, 200),
    ("POST", "/destinations", {"name": "Mail", "kind": "email", "address": "a@example.com"}, 201),
    ("PATCH", "/destinations/{hook}", {"enabled": False}, 200),
    ("POST", "/destinations/{hook}/key", None, 200),
    ("POST", "/policies", {"name": "P", "steps": [{"destinations": ["{hook}"]}]}, 422),
    ("GET", "/policies", None, 200),
    ("GET", "/deliveries", None, 200),
    ("GET", "/deliveries/{delivery}", None, 200),
    ("POST", "/deliveries/{delivery}/again", None, 409),
]


def test_responses_match_the_description(editor, watcher, there, description):
    described = Described(description)

    for method, path, body, status in CALLS:
        address = "/api/v1" + path.format(**there)
        answer = editor.send(method, address, body, If_Match="*")
        assert answer.status_code == status, (method, address, answer.content)
        described.check(method, address, answer)
    described.check("POST", "/api/v1/rules", watcher.post("/rules", ABOVE_70))
    described.check("GET", "/api/v1/rules", watcher.get("/rules?colour=red"))
