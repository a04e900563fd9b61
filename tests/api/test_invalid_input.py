"""Any input gets a problem document, and never causes an internal error."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.rule_bodies import ABOVE_70
from tests.support.builders import now
from tests.support.notifications.destinations import webhook_destination
from tests.support.rest import ApiClient, problem_of
from tms.accounts import api_tokens
from tms.accounts.models import User
from tms.fleet.models import Terminal
from tms.main.api_v1 import api

BODIES = [
    (b"", 422),
    (b"{", 400),
    (b"nonsense", 400),
    (b"\xff\xfe", 400),
    (b'{"comment": "\xff"}', 400),
    (b'{"comment": "\\ud800"}', 400),
    (b'{"version": NaN}', 400),
    (b'{"version": 1e999}', 400),
    (b'{"version": 1' + b"0" * 400 + b"}", 422),
    (b"[" * 100_000, 400),
    (b'{"comment": "\\u0000"}', 422),
    (b'{"\\u0000": 1}', 422),
    (b"null", 422),
    (b"[]", 422),
    (b"1", 422),
    (b'"x"', 422),
    (b'{"comment": {"a": []}}', 422),
    (b'{"comment": "x", "comment": 5}', 422),
]
FOR_EVERY_OPERATION = (b"", b"{", b"null", b'{"comment": "\\u0000"}', b'{"comment": {"a": []}}')
"""One of each kind; all operations share the reader of bodies."""


@pytest.fixture
def operations(client) -> list[tuple[str, str]]:
    """Method and URL of each operation that changes something."""
    paths = api.get_openapi_schema()["paths"].items()
    return [(method.upper(), path) for path, there in paths for method in there if method != "get"]


@pytest.mark.both
@pytest.mark.parametrize(("body", "status"), BODIES, ids=range(len(BODIES)))
def test_an_invalid_body_is_refused(editor, body, status):
    answer = editor.post("/rules", body)

    assert problem_of(answer)[0] == status


@pytest.mark.both
@pytest.mark.parametrize("body", FOR_EVERY_OPERATION, ids=range(len(FOR_EVERY_OPERATION)))
def test_an_invalid_body_is_refused_by_every_operation(editor, operations, fleet, body):
    hook, rule = webhook_destination("https://a.example.com/"), fleet.metric_rule()

    for method, path in operations:
        address = path.replace("{pk}", str(rule.pk))
        answer = editor.send(method, address, body, If_Match="*")
        assert answer.status_code < 500, (method, address, answer.content)
        if answer.status_code >= 400:
            problem_of(answer)
    assert hook.pk


NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([2**31, 2**63, -(2**63), 10**40, 1e308, -1e308, 5e-324])
)
TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "\0", "ÿ", "𝕏", "'; --", "2026-11-25T09:00:00Z", "0001-01-01"])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
VALID_BODIES = {
    "/rules": ABOVE_70,
    "/rules/preview": {"rule": ABOVE_70, "hours": 1},
    "/maintenance": {
        "note": "x",
        "sites": ["SJK"],
        "groups": [],
        "terminals": [],
        "time_zone": "Asia/Tokyo",
        "starts_at": "2027-01-01T00:00:00",
        "ends_at": "2027-01-01T01:00:00",
        "rrule": "FREQ=DAILY",
    },
    "/alerts/acknowledge": {"which": {"ids": [1]}, "comment": "x", "contract": "recovery"},
    "/alerts/snooze": {"which": {"matching": {"site": "SJK", "rule": 1, "opened_since": "2026-11-25T09:00:00Z"}}},
    "/policies": {"name": "P", "severities": [], "sites": [], "rules": [1], "delay_s": 1, "steps": [{"after_min": 1}]},
    "/regions": {"name": "Kanto", "name_ja": "関東"},
    "/sites": {"code": "NEW", "name": "N", "name_ja": "", "region": "", "address": "", "time_zone": "Asia/Tokyo"},
    "/sites/SJK/terminals": {"terminals": ["T-1"]},
    "/terminals": {"uid": "T-9", "site": "SJK", "kind": "kiosk", "label": "x", "parent": None},
    "/terminals/T-1/replace": {"serial": "S", "model": "M", "removed_becomes": "spare", "comment": "x"},
    "/terminals/T-1/keys": {"expires_at": "2099-01-01T00:00:00Z"},
    "/devices": {"serial": "S", "model": "M", "state": "spare", "site": "SJK", "note": "x"},
    "/enrolment-tokens": {"name": "x", "site": "SJK", "kind": None, "uses": 2, "serials": ["S"], "valid_hours": 1},
    "/groups": {"name": "G"},
    "/destinations": {"name": "D", "kind": "email", "address": "a@example.com", "language": "en", "person": None},
}


def replaced(body: Any, path: list[Any], value: Any) -> Any:
    """`body` with another value in one position."""
    if not path:
        return value
    copied = body.copy()
    copied[path[0]] = replaced(body[path[0]], path[1:], value)
    return copied


def paths_in(body: Any) -> list[list[Any]]:
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [[], *([key, *rest] for key, value in inner for rest in paths_in(value))]


@pytest.mark.django_db
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_wrong_value_in_any_position_causes_no_internal_error(fleet, data):
    caller = ApiClient(api_tokens.issue(administrator(), name="fuzz", at=now())[1])
    if not Terminal.objects.exists():
        fleet.terminal(uid="T-1")
    path = data.draw(st.sampled_from(sorted(VALID_BODIES)))
    body = replaced(VALID_BODIES[path], data.draw(st.sampled_from(paths_in(VALID_BODIES[path]))), data.draw(VALUES))

    answer = caller.post(path, json.dumps(body).encode())

    assert answer.status_code < 500, (path, body, answer.content)


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/sites", "/terminals", "/alerts", "/rules", "/maintenance", "/deliveries", "/policies"]),
    st.dictionaries(
        st.sampled_from(["limit", "cursor", "q", "site", "state", "rule", "opened_since", "who", "enabled", "alert"]),
        st.one_of(TEXTS, st.integers().map(str)),
    ),
)
def test_a_wrong_query_causes_no_internal_error(fleet, path, query):
    caller = ApiClient(api_tokens.issue(administrator(), name="fuzz", at=now())[1])

    answer = caller.get(path, query)

    assert answer.status_code < 500, (path, query, answer.content)


@pytest.mark.both
@pytest.mark.parametrize("path", ["/terminals/a%00b", "/sites/%00", "/terminals/%ED%A0%80", "/sites/" + "x" * 5000])
def test_a_wrong_url_is_not_found(watcher, path):
    assert problem_of(watcher.get(path)) == (404, "tms:not-found")


def administrator() -> User:
    return User.objects.get_or_create(username="boss", is_superuser=True)[0]
