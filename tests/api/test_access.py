"""Authentication and limits, checked before an operation runs."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.support.builders import now
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tms.accounts import api_tokens
from tms.accounts.models import ApiToken, User
from tms.metrics import instruments

pytestmark = pytest.mark.both


@pytest.mark.parametrize("offered", ["", "Bearer", "Bearer ", "Bearer tms_wrong", "Basic YTpi", "Bearer a b c"])
def test_without_a_valid_token_nothing_is_returned(db, offered):
    answer = Client().get("/api/v1/sites", headers={"Authorization": offered} if offered else {})

    assert problem_of(answer) == (401, "tms:unauthorised")
    assert answer["WWW-Authenticate"] == 'Bearer realm="TMS"'


def test_a_session_of_a_browser_is_not_accepted(watcher):
    client = Client()
    client.force_login(User.objects.get())

    assert client.get("/api/v1/sites").status_code == 401


def test_a_token_ends_when_it_is_revoked_or_expires_or_its_person_is_disabled(watcher, caller_for):
    person = User.objects.get()
    expired = ApiClient(api_tokens.issue(person, name="old", at=now(), expires_at=now() - timedelta(seconds=1))[1])
    revoked = caller_for(person)
    api_tokens.revoke(ApiToken.objects.filter(pk=ApiToken.objects.latest("pk").pk), at=now())

    assert watcher.get("/sites").status_code == 200
    assert expired.get("/sites").status_code == revoked.get("/sites").status_code == 401
    User.objects.update(is_active=False)
    assert watcher.get("/sites").status_code == 401


def test_the_use_of_a_token_is_recorded_once_a_minute(watcher):
    watcher.get("/sites")
    first = ApiToken.objects.get().used_at
    watcher.get("/sites")

    assert first is not None
    assert ApiToken.objects.get().used_at == first


def test_only_the_hash_of_a_token_is_stored(watcher):
    secret = watcher.headers["Authorization"].split()[1]

    stored = ApiToken.objects.values().get()

    assert secret.startswith("tms_")
    assert secret not in str(stored)


def test_too_many_requests_get_retry_after(watcher, settings):
    settings.API_PER_MINUTE, settings.API_BURST = 1, 2

    answers = [watcher.get("/sites") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert problem_of(answers[-1]) == (429, "tms:too-fast")
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60


def test_tokens_do_not_share_their_limit(watcher, caller_for, settings):
    settings.API_PER_MINUTE, settings.API_BURST = 1, 1
    other = caller_for(User.objects.get())
    watcher.get("/sites")

    assert watcher.get("/sites").status_code == 429
    assert other.get("/sites").status_code == 200


def test_a_large_body_is_refused(watcher):
    assert problem_of(watcher.post("/alerts/comment", b" " * 600_000)) == (413, "tms:too-large")
    assert problem_of(watcher.post("/alerts/comment", b" " * 6_000_000)) == (413, "tms:too-large")


def test_unknown_query_parameters_are_reported(watcher):
    assert invalid_fields(watcher.get("/terminals", {"colour": "red", "limit": "5"})) == ["?colour"]
    assert invalid_fields(watcher.get("/terminals", {"q": "a\0b"})) == ["?q"]
    assert invalid_fields(watcher.get("/terminals", {"limit": "201", "presence": "lost", "kind": "toaster"})) == [
        "?limit",
        "?kind",
        "?presence",
    ]


@pytest.mark.parametrize("path", ["/nothing", "/no%0athing", "/", "/alerts/", "/alerts/1/dance", "/alerts/x"])
def test_an_unknown_url_gets_a_problem_document(watcher, path):
    assert problem_of(watcher.get(path)) == (404, "tms:not-found")


def test_another_method_gets_the_allowed_ones(watcher):
    answer = watcher.send("DELETE", "/alerts")

    assert problem_of(answer) == (405, "tms:unknown-method")
    assert answer["Allow"] == "GET, HEAD"


def test_a_head_request_gets_headers_only(watcher):
    answer = watcher.send("HEAD", "/sites")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json; charset=utf-8")


def test_no_response_may_be_cached(watcher):
    assert "no-store" in watcher.get("/sites")["Cache-Control"]


def test_each_request_is_counted_by_its_route_and_not_by_its_url(watcher):
    counted = instruments.API_REQUESTS.labels("api/v1/alerts/<int:pk>", "GET", "404")._value
    before = counted.get()

    watcher.get("/alerts/1")
    watcher.get("/alerts/2")

    assert counted.get() == before + 2
