"""People change their own password on a page of TMS."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.support.factories import now
from tms.accounts.models import AuditEntry, User
from tms.accounts.sessions import activity
from tms.accounts.sessions.browsers import browsers_of
from tms.accounts.sessions.signed_in import signed_in as still_signed_in
from tms.accounts.sessions.store import stored_key

OLD, NEW = "watch-the-fleet-7", "another-long-secret-9"


@pytest.fixture
def tanaka(db) -> User:
    return User.objects.create_user("tanaka.mei", password=OLD, first_name="Mei")


@pytest.fixture
def browser(tanaka) -> Client:
    return signed_in(tanaka)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def change(browser: Client, old: str = OLD, new: str = NEW, again: str | None = None, **headers: str):
    sent = {"old_password": old, "new_password1": new, "new_password2": new if again is None else again}
    return browser.post("/me/password/", sent, headers=headers)


def test_a_new_password_is_valid_here_and_ends_every_other_session(browser, tanaka):
    elsewhere = signed_in(tanaka)

    answer = change(browser)

    tanaka.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, "/me/password/?changed=1")
    assert tanaka.check_password(NEW)
    assert "Password changed." in browser.get(answer["Location"]).content.decode()
    assert elsewhere.get("/").status_code == 302
    entry = AuditEntry.objects.get(action="password-changed")
    assert (entry.action, entry.actor, entry.changes) == ("password-changed", tanaka, {})


@pytest.mark.both
def test_the_browser_stays_listed_and_open_boards_keep_its_session(tanaka):
    """The session gets a new key nevertheless."""
    browser = Client()
    browser.post("/sign-in/", {"username": "tanaka.mei", "password": OLD})
    before, later = stored_key(browser.session.session_key), now() + timedelta(minutes=40)

    answer = change(browser)

    key = stored_key(browser.session.session_key)
    activity.touch([key], at=later)
    assert (answer.status_code, key != before) == (302, True)
    assert [row.session_key for row in browsers_of(tanaka)] == [key]
    assert key in still_signed_in([key], at=later + timedelta(minutes=40))


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"old": "guess"}, "Your old password was entered incorrectly"),
        ({"again": NEW + "x"}, "The two password fields didn’t match"),
        ({"new": "vrtx-ojek-9"}, "This password is too short. It must contain at least 12 characters."),
        ({"new": "TMS.terminal-01"}, "Apart from “terminal, tms”, which is guessed first, this password is too short."),
        ({"new": "noc@gate.example"}, "Apart from “example, gate, noc”"),
        ({"new": "password1234"}, "This password is too common"),
        ({"new": "tanaka.mei.1"}, "The password is too similar to the username"),
        ({"new": "4902817365"}, "This password is entirely numeric"),
        ({"new": ""}, "This field is required"),
    ],
)
def test_an_invalid_password_is_reported_and_changes_nothing(browser, tanaka, settings, sent, message):
    settings.ALLOWED_HOSTS = ["testserver", "gate.example"]
    answer = change(browser, **sent)

    tanaka.refresh_from_db()
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert tanaka.check_password(OLD)


def test_wrong_passwords_count_as_those_of_signing_in(browser, tanaka, settings):
    answers = [change(browser, old="guess").status_code for _ in range(settings.SIGN_IN_FAILURES + 1)]

    tanaka.refresh_from_db()
    assert answers == [422] * settings.SIGN_IN_FAILURES + [429]
    assert change(browser).status_code == 429
    assert tanaka.check_password(OLD)


def test_an_anonymous_visitor_is_redirected_to_sign_in(client, db):
    assert client.get("/me/password/")["Location"] == "/sign-in/?next=/me/password/"


def test_the_persons_own_page_links_to_the_form_in_their_language(browser, tanaka):
    User.objects.update(language="ja")

    assert 'href="/me/password/"' in browser.get("/me/").content.decode()
    assert "パスワードを変更" in browser.get("/me/password/").content.decode()
