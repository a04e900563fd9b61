"""`POST /api/v1/enrol`: a new terminal gets its credential; every error is a problem document (RFC 9457)."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.support.builders import now
from tests.support.credentials import find_key
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.enrolment.tokens import TokenLimits
from tms.fleet.models import EnrolmentToken, Terminal
from tms.protocol import credential

pytestmark = pytest.mark.both

PATH = "/api/v1/enrol"
FACTS = {"serial": "S-1", "model": "KX-20", "kind": "gate"}


@pytest.fixture
def token(fleet) -> str:
    return enrolment.make_token(TokenLimits(fleet.site("SJK")), by=None, at=now())


@pytest.fixture
def terminal() -> Client:
    """It has no cookies, and sends no CSRF token."""
    return Client(enforce_csrf_checks=True)


def post(terminal: Client, body: Any) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return terminal.post(PATH, data, content_type="application/json")


def problem_of(answer: HttpResponse) -> tuple[int, str, str, str]:
    """Status, type, detail and location; the document repeats its status."""
    assert answer["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["type"], document["detail"], document.get("where", "")


def test_a_token_is_exchanged_for_the_credential_once(token, terminal):
    answer = post(terminal, {"token": token} | FACTS)

    made = answer.json()
    assert (answer.status_code, made["uid"]) == (201, "SJK-GTE-01")
    assert made["credential"] == f"{made['uid']}.{made['secret']}"
    assert "no-store" in answer["cache-control"]
    offered = credential.parse(made["credential"])
    assert find_key(offered, at=now())
    stored = Terminal.objects.get()
    assert (stored.serial, stored.model, stored.kind) == ("S-1", "KX-20", "gate")


def test_only_the_token_is_required_and_unknown_fields_are_ignored(token, terminal):
    answer = post(terminal, {"token": token, "colour": "red"})

    assert answer.status_code == 201
    assert Terminal.objects.get().kind == "kiosk"


def test_a_used_an_expired_and_an_unknown_token_get_the_same_answer(token, terminal):
    post(terminal, {"token": token})
    used = post(terminal, {"token": token})
    EnrolmentToken.objects.update(used_at=None, expires_at=now())
    expired = post(terminal, {"token": token})
    unknown = post(terminal, {"token": "x" * 43})

    assert problem_of(used) == problem_of(expired) == problem_of(unknown)
    status, kind, detail, _ = problem_of(used)
    assert (status, kind) == (403, "tms:token-refused")
    assert "request a new one" in detail


BAD_BODIES = [
    (b"", 422, "$", "truncated"),
    (b"{", 422, "$", "truncated"),
    (b"[]", 422, "$", "Expected `object`, got `array`"),
    (b"null", 422, "$", "Expected `object`, got `null`"),
    (b"\xff\xfe", 422, "$", ""),
    (b'{"token": "\xff"}', 422, "$", ""),
    (b"{}", 422, "$", "missing required field `token`"),
    (b'{"token": 1}', 422, "$.token", "Expected `str`, got `int`"),
    (b'{"token": ""}', 422, "$.token", "length >= 1"),
    (b'{"token": "' + b"t" * 65 + b'"}', 422, "$.token", "length <= 64"),
    (b'{"token": "t", "serial": []}', 422, "$.serial", "Expected `str`, got `array`"),
    (b'{"token": "t", "model": "' + b"m" * 65 + b'"}', 422, "$.model", "length <= 64"),
    (b'{"token": "t", "kind": "spaceship"}', 422, "$.kind", "use payment or kiosk or gate or signage or tablet"),
    (b'{"token": "t", "serial": "a\\u0000b"}', 422, "$.serial", "U+0000"),
    (b'{"token": "t", "model": "a\\u0000b"}', 422, "$.model", "U+0000"),
    (b'{"token": "' + b"t" * 5000 + b'"}', 413, "", "the body must not exceed 4096 bytes"),
    (b'{"token": "' + b"t" * 5_000_000 + b'"}', 413, "", "the body must not exceed 4096 bytes"),
]


@pytest.mark.parametrize(("body", "status", "where", "message"), BAD_BODIES)
def test_an_invalid_body_is_refused_with_the_reason_the_location_and_the_expected_value(
    token, terminal, body, status, where, message
):
    answer = post(terminal, body)

    assert problem_of(answer)[0] == status
    assert problem_of(answer)[1] == "tms:bad-frame"
    assert message in problem_of(answer)[2]
    assert problem_of(answer)[3] == where
    assert not Terminal.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_another_method_gets_the_allowed_one(db, terminal, method):
    answer = getattr(terminal, method)(PATH)

    assert (answer.status_code, answer["allow"]) == (405, "POST")
    if method != "head":
        assert problem_of(answer)[1:3] == ("tms:unknown-method", "method not allowed; use POST")


def test_a_refused_body_does_not_use_up_the_token(token, terminal):
    post(terminal, {"token": token, "kind": "spaceship"})

    assert post(terminal, {"token": token}).status_code == 201


def test_the_answer_to_a_wrong_token_does_not_repeat_it(db, terminal):
    assert b"guess" not in post(terminal, {"token": "guess" * 9}).content
