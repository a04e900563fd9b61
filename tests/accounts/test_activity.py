"""Sessions end after a time without use, and at last some hours after the sign-in."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consumers.board import page_of
from tests.support.accounts.steps import AT, PASSWORD, Steps
from tms.accounts.models import User
from tms.accounts.sessions import activity
from tms.accounts.sessions.claims import SEEN_AT
from tms.accounts.sessions.signed_in import signed_in
from tms.accounts.sessions.store import stored_key

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]


@pytest.fixture
def browser(clock, db) -> Steps:
    User.objects.create_user("tanaka", password=PASSWORD)
    browser = Steps()
    browser.password()
    return browser


def seen_at() -> object:
    return UserSession.objects.get().last_seen_at


def key_of(browser: Steps) -> str:
    return stored_key(browser.client.session.session_key)


def test_a_session_that_was_not_used_for_an_hour_has_ended(browser, clock):
    clock.shift(timedelta(minutes=61))

    answer = browser.client.get("/help/")

    assert answer["Location"] == "/sign-in/?next=/help/"
    assert not Session.objects.exists()


def test_each_page_postpones_that(browser, clock):
    for _ in range(3):
        clock.shift(timedelta(minutes=50))
        assert browser.is_signed_in


def test_an_open_board_counts_as_use(browser, clock):
    for _ in range(4):
        clock.shift(timedelta(minutes=40))
        activity.touch([key_of(browser)], at=AT + timedelta(minutes=40 * (_ + 1)))

    assert browser.is_signed_in


def test_a_board_of_an_idle_session_is_closed(browser, clock):
    key, later = key_of(browser), AT + timedelta(minutes=61)

    assert [person.username for person in signed_in([key], at=AT + timedelta(minutes=59)).values()] == ["tanaka"]
    assert signed_in([key], at=later) == {}


def test_an_idle_session_opens_no_board(browser, clock):
    scope = {"session": browser.client.session, "user": User.objects.get()}
    before = page_of(scope, "/")
    clock.shift(timedelta(minutes=61))

    assert before is not None
    assert page_of(scope, "/") is None


def test_use_does_not_extend_a_session_beyond_its_end(browser, clock, settings):
    hours = settings.SESSION_COOKIE_AGE // 3600
    for _ in range(hours * 2):
        clock.shift(timedelta(minutes=29, seconds=55))
        assert browser.is_signed_in

    clock.shift(timedelta(minutes=3))

    assert not browser.is_signed_in


def test_0_minutes_ends_no_session(browser, clock, settings):
    settings.IDLE_S = 0
    clock.shift(timedelta(hours=11))

    assert browser.is_signed_in


def test_use_is_noted_once_a_minute(browser, clock):
    clock.shift(timedelta(seconds=59))
    with CaptureQueriesContext(connection) as early:
        browser.client.get("/help/")
    before = seen_at()
    clock.shift(timedelta(seconds=2))
    browser.client.get("/help/")

    assert not [query for query in early if "UPDATE" in query["sql"]]
    assert (before, seen_at()) == (AT, AT + timedelta(seconds=61))


def test_a_session_that_no_sign_in_began_goes_on_and_is_listed(browser, clock, settings):
    session = browser.client.session
    del session[SEEN_AT]
    session.set_expiry(None)
    session.save()
    UserSession.objects.all().delete()
    clock.shift(timedelta(minutes=90))

    assert browser.is_signed_in
    assert UserSession.objects.count() == 1
    assert browser.client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
