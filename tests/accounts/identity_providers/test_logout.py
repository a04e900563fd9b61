"""Back-channel logout: which tokens end sessions, and which sessions they end."""

import time
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from tests.support import people
from tests.support.factories import now
from tests.support.servers.hostile_provider import LOGOUT_EVENT
from tms.accounts.models import AuditEntry, Identity, ProviderSession, User
from tms.accounts.sessions.signed_in import signed_in
from tms.accounts.sessions.store import stored_key

pytestmark = [pytest.mark.both, pytest.mark.django_db]
NOW = int(time.time())


def session_at(provider, subject: str, sid: str) -> Client:
    """A browser in which the person signed in at the provider."""
    person, _ = User.objects.get_or_create(username=subject)
    identity, _ = Identity.objects.get_or_create(
        provider=provider, person=person, issuer=provider.issuer, subject=subject
    )
    browser = people.signed_in(person)
    key = stored_key(browser.session.session_key)
    UserSession.objects.create(user=person, session_key=key, ip="10.0.0.1", user_agent="")
    ProviderSession.objects.create(session_key=key, identity=identity, sid=sid)
    return browser


def is_signed_in(browser: Client) -> bool:
    return bool(signed_in([stored_key(browser.session.session_key)], at=now()))


def send(token: str, slug: str = "company") -> Any:
    return Client(enforce_csrf_checks=True).post(f"/providers/{slug}/logout/", {"logout_token": token})


ENDED = {
    "a session": ({"sid": "a"}, {"keiko a"}),
    "a session without a subject": ({"sid": "b", "sub": None}, {"keiko b"}),
    "all of a subject": ({}, {"keiko a", "keiko b", "keiko "}),
    "a session of another subject": ({"sid": "m"}, {"keiko "}),
    "a session that TMS knows without a name": ({"sid": "z"}, {"keiko "}),
    "a session of nobody": ({"sid": "z", "sub": None}, set()),
    "a subject that is unknown": ({"sub": "nobody"}, set()),
}


@pytest.mark.parametrize(("changes", "ended"), ENDED.values(), ids=ENDED)
def test_a_logout_ends_the_sessions_that_it_names(hostile, provider, changes, ended):
    names = [("keiko", "a"), ("keiko", "b"), ("keiko", ""), ("mori", "m")]
    browsers = {f"{subject} {sid}": session_at(provider, subject, sid) for subject, sid in names}
    elsewhere = people.signed_in(User.objects.get(username="keiko"))

    answer = send(hostile.logout_token(**changes))

    assert (answer.status_code, answer["Cache-Control"]) == (
        200,
        "max-age=0, no-cache, no-store, must-revalidate, private",
    )
    assert {name for name, browser in browsers.items() if not is_signed_in(browser)} == ended
    assert is_signed_in(elsewhere)
    entry = AuditEntry.objects.get(action="logged-out")
    assert entry.changes == {"sessions": [len(ended), 0]}


def test_a_logout_ends_a_session_in_which_the_password_was_changed(hostile, provider):
    """It has a new key since then."""
    User.objects.create_user("keiko", password="watch-the-7-gates")
    browser = session_at(provider, "keiko", "a")
    sent = {"old_password": "watch-the-7-gates", "new_password1": "another-long-secret-9"}
    browser.post("/me/password/", {**sent, "new_password2": "another-long-secret-9"})
    before = is_signed_in(browser)

    send(hostile.logout_token(sid="a"))

    assert (before, is_signed_in(browser)) == (True, False)


REFUSED = {
    "another issuer": {"iss": "https://evil.example"},
    "another client": {"aud": "other"},
    "no audience": {"aud": None},
    "without iat": {"iat": None},
    "too old": {"iat": NOW - 3600, "exp": None},
    "from the future": {"iat": NOW + 3600},
    "iat is a text": {"iat": str(NOW)},
    "iat is true": {"iat": True},
    "iat before all years": {"iat": -(10**18)},
    "iat beyond numbers of a clock": {"iat": -(10**400)},
    "iat is no number": {"iat": float("nan")},
    "iat is infinite": {"iat": float("-inf")},
    "expired": {"exp": NOW - 3600},
    "without jti": {"jti": None},
    "a jti that is no text": {"jti": 7},
    "with a nonce": {"nonce": "n"},
    "without events": {"events": None},
    "with another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "an event that is no object": {"events": {LOGOUT_EVENT: True}},
    "neither session nor subject": {"sub": None},
    "a session that is no text": {"sid": ["a"]},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_a_wrong_logout_token_ends_nothing(hostile, provider, changes):
    browser = session_at(provider, "keiko", "a")

    answer = send(hostile.logout_token(**changes))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert is_signed_in(browser)


def test_a_logout_token_is_signed_by_the_provider_and_used_once(hostile, provider):
    good = hostile.logout_token()
    claims = {"iss": hostile.issuer, "aud": "tms", "iat": NOW, "jti": "2", "sub": "k", "events": {LOGOUT_EVENT: {}}}
    forged = hostile.sign(claims, key=hostile.other_key)
    unsigned = hostile.sign(claims, key="", algorithm="none")

    statuses = [send(token).status_code for token in (good, good, forged, unsigned, "", "x" * 70_000)]

    assert statuses == [200, 400, 400, 400, 400, 400]


def test_a_disabled_provider_does_not_answer(hostile, provider):
    provider.is_enabled = False
    provider.save()

    assert send(hostile.logout_token()).status_code == 404
    assert send(hostile.logout_token(), slug="nowhere").status_code == 404
