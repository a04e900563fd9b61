"""API tokens of one's own: created with an expiry, shown once, rotated with an overlap, revoked."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client

from tests.support import people
from tests.support.builders import AT
from tests.support.factories import now
from tests.support.rest import ApiClient, problem_of
from tms.accounts import api_tokens
from tms.accounts.models import ApiToken, AuditEntry, TokenScope, User

pytestmark = pytest.mark.both
WANTED = {"name": "Shift script", "scope": "read", "days": "30"}
DAY = timedelta(days=1)


@pytest.fixture
def tanaka(db) -> User:
    return people.person("tanaka", of="Operator")


@pytest.fixture
def browser(client, tanaka) -> Client:
    client.force_login(tanaka)
    people.sign_in_recently(client, tanaka)
    return client


@pytest.mark.parametrize("path", ["new", "1/rotate"])
def test_a_secret_is_made_only_after_a_recent_sign_in(client, tanaka, path):
    client.force_login(tanaka)

    answer = client.post(f"/me/tokens/{path}/", WANTED)

    assert answer["Location"].startswith("/me/confirm/")
    assert not ApiToken.objects.exists()


def secret_in(answer: HttpResponse) -> str:
    [secret] = re.findall(r'value="(tms_[\w-]+)"', answer.content.decode())
    return secret


def test_a_new_token_is_shown_once_and_recorded_without_its_secret(browser, tanaka):
    answer = browser.post("/me/tokens/new/", WANTED)

    secret = secret_in(answer)
    token = api_tokens.find(secret, at=now())
    assert (token.person, token.name, token.scope) == (tanaka, "Shift script", TokenScope.READ)
    assert timedelta(days=29) < token.expires_at - now() < timedelta(days=31)
    assert "no-store" in answer["Cache-Control"]
    page = browser.get("/me/").content.decode()
    assert "Shift script" in page
    assert secret not in page
    entry = AuditEntry.objects.get(subject_type="accounts.apitoken")
    assert (entry.action, entry.actor, entry.subject_name) == ("created", tanaka, "Shift script")
    assert entry.changes.keys() == {"person", "scope", "expires_at"}


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"scope": "everything"}, "Select a valid choice"),
        ({"days": "3660"}, "Select a valid choice"),
        ({"days": ""}, "This field is required"),
    ],
)
def test_an_invalid_token_is_reported_and_not_created(browser, sent, message):
    answer = browser.post("/me/tokens/new/", WANTED | sent)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_person_has_a_limited_number_of_tokens(browser, tanaka, monkeypatch):
    monkeypatch.setattr(api_tokens, "MAX_TOKENS", 1)
    browser.post("/me/tokens/new/", WANTED)

    answer = browser.post("/me/tokens/new/", WANTED)

    assert answer.status_code == 422
    assert "You already have 1 tokens. Revoke one first." in answer.content.decode()


def test_a_read_only_token_reads_and_changes_nothing(tanaka):
    _, secret = api_tokens.issue(tanaka, name="Grafana", at=now(), scope=TokenScope.READ)
    api = ApiClient(secret)

    assert api.get("/alerts").status_code == 200
    assert problem_of(api.post("/alerts/acknowledge", {})) == (403, "tms:forbidden")
    assert "read only" in api.post("/alerts/acknowledge", {}).json()["detail"]


def test_a_token_loses_the_permissions_that_its_person_loses(tanaka):
    api = ApiClient.of(tanaka)
    before = api.post("/alerts/acknowledge", {}).status_code

    tanaka.grants.all().delete()

    assert before == 422
    assert problem_of(api.post("/alerts/acknowledge", {})) == (403, "tms:forbidden")


def test_both_secrets_work_until_the_overlap_ends(browser, tanaka):
    token, old = api_tokens.issue(tanaka, name="Bridge", at=now(), expires_at=now() + 60 * DAY)

    new = secret_in(browser.post(f"/me/tokens/{token.pk}/rotate/", {"overlap": "86400"}))

    found = api_tokens.find(new, at=now())
    assert (found.name, found.scope, found.person) == ("Bridge", TokenScope.FULL, tanaka)
    assert timedelta(days=59) < found.expires_at - now() < timedelta(days=61)
    assert api_tokens.find(old, at=now() + timedelta(hours=23)) == token
    assert api_tokens.find(old, at=now() + timedelta(hours=25)) is None
    assert "old secret" in browser.get("/me/").content.decode()
    entries = AuditEntry.objects.filter(subject_type="accounts.apitoken")
    assert sorted(entries.values_list("action", flat=True)) == ["created", "created", "rotated"]


@pytest.mark.parametrize(
    ("lasts", "overlap", "ends"), [(60 * DAY, timedelta(), timedelta()), (DAY, 7 * DAY, DAY), (None, DAY, DAY)]
)
def test_an_overlap_never_extends_the_old_token(tanaka, lasts, overlap, ends):
    token, _ = api_tokens.issue(tanaka, name="Bridge", at=AT, expires_at=AT + lasts if lasts else None)

    new, _ = api_tokens.rotate(token, at=AT, overlap=overlap)

    token.refresh_from_db()
    assert (token.expires_at, token.replaced_by) == (AT + ends, new)
    assert new.expires_at == (AT + lasts if lasts else None)


def test_a_token_is_rotated_once(tanaka):
    token, _ = api_tokens.issue(tanaka, name="Bridge", at=AT)
    api_tokens.rotate(token, at=AT, overlap=DAY)

    with pytest.raises(api_tokens.NotRotatableError):
        api_tokens.rotate(token, at=AT, overlap=DAY)


def test_an_overlap_that_is_not_offered_is_reported(browser, tanaka):
    token, secret = api_tokens.issue(tanaka, name="Bridge", at=now())

    answer = browser.post(f"/me/tokens/{token.pk}/rotate/", {"overlap": "999999999"})

    assert answer.status_code == 422
    assert api_tokens.find(secret, at=now()) == token


def test_a_revoked_token_stops_at_once(browser, tanaka):
    token, secret = api_tokens.issue(tanaka, name="Bridge", at=now())
    asked = browser.get(f"/me/tokens/{token.pk}/revoke/")

    answer = browser.post(f"/me/tokens/{token.pk}/revoke/")

    assert "Revoke" in asked.content.decode()
    assert answer["Location"] == "/me/#tokens"
    assert api_tokens.find(secret, at=now()) is None
    assert AuditEntry.objects.latest("pk").action == "revoked"


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_tokens_of_others_and_ended_ones_do_not_exist(browser, tanaka, action):
    others, _ = api_tokens.issue(people.person("mori"), name="Bridge", at=now())
    ended, _ = api_tokens.issue(tanaka, name="Bridge", at=now(-60), expires_at=now(-1))

    for token in (others, ended):
        assert browser.post(f"/me/tokens/{token.pk}/{action}/", {"overlap": "0"}).status_code == 404


def test_the_command_makes_a_read_only_token(tanaka, capsys):
    call_command("api_token", "tanaka", "--name", "Grafana", "--read-only")

    assert api_tokens.find(capsys.readouterr().out.strip(), at=now()).scope == TokenScope.READ


def test_the_days_are_in_the_language_of_the_person(browser):
    User.objects.update(language="ja")

    page = browser.get("/me/tokens/new/").content.decode()

    assert "90 days" not in page
