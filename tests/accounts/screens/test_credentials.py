"""The secret of a screen is replaced in use, and no crash in between loses the screen."""

from datetime import timedelta

import pytest

from tests.support.accounts import screens
from tests.support.addresses.routes import routes_of
from tests.support.factories import now
from tms.accounts.models import WallScreen
from tms.accounts.screens import credentials
from tms.accounts.screens.credentials import COOKIE_S
from tms.lib.hashing import hash_token

pytestmark = pytest.mark.both
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def secret(lead) -> str:
    return screens.paired("NOC Tokyo", by=lead)[1]


def admit(secret, at, *, may_replace=True):
    """Whether the secret opens the wall, and the new one that the response brings."""
    found = credentials.admit(secret, at=at, address="10.0.0.7", browser="", may_replace=may_replace)
    return found is not None, found.new_secret if found else ""


def test_the_secrets_are_stored_as_hashes_and_the_cookie_is_hidden_from_scripts(secret, settings):
    settings.HTTPS_ONLY = True
    television = screens.television(secret)

    answer = television.get("/wall/")

    cookie = answer.cookies[settings.WALL_COOKIE_NAME]
    screen = WallScreen.objects.get()
    assert {screen.digest, screen.successor} == {hash_token(secret), hash_token(cookie.value)}
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookie["max-age"] == COOKIE_S
    assert secret not in answer.content.decode()


def test_a_new_secret_replaces_the_old_one_when_it_is_used(secret):
    at = now()
    _is_open, new = admit(secret, at)

    assert admit(new, at + MINUTE) == (True, "")

    assert admit(secret, at + 5 * MINUTE) == (True, ""), "requests may be under way"
    assert admit(secret, at + 12 * MINUTE) == (False, "")
    assert admit(new, at + 12 * MINUTE) == (True, "")


def test_a_television_that_lost_the_new_secret_gets_another_one(secret):
    at = now()
    _is_open, lost = admit(secret, at)

    assert admit(secret, at + MINUTE / 2) == (True, ""), "it may still arrive"
    is_open, again = admit(secret, at + 2 * MINUTE)
    assert is_open
    assert again not in ("", lost)
    assert admit(lost, at + 3 * MINUTE) == (False, "")
    assert admit(again, at + 3 * MINUTE)[0]


@pytest.mark.parametrize("off", [timedelta(hours=1), DAY, 300 * DAY])
def test_a_television_that_was_off_still_opens_the_wall(secret, off):
    at = now()
    _is_open, new = admit(secret, at)
    admit(new, at)

    is_open, newer = admit(new, at + off)

    assert is_open
    assert bool(newer) == (off > credentials.ROTATE_AFTER)


def test_a_socket_does_not_replace_the_secret_but_proves_that_it_arrived(secret):
    at = now()
    assert admit(secret, at, may_replace=False) == (True, "")
    new = admit(secret, at)[1]

    assert admit(new, at, may_replace=False) == (True, "")

    screen = WallScreen.objects.get()
    assert (screen.digest, screen.successor) == (hash_token(new), "")


@pytest.mark.parametrize("wrong", ["", "x", "a" * 10_000, "\x00"])
def test_another_secret_opens_nothing(secret, wrong):
    assert admit(wrong, now()) == (False, "")


def test_the_cookie_opens_the_wall_and_nothing_else(secret):
    """A screen is a visitor who is not signed in at every other address."""
    from django.urls import get_resolver

    screen, visitor = screens.television(secret), screens.television()
    differing = set()
    for route in dict.fromkeys(routes_of(get_resolver())):
        path = route.replace("<int:pk>", "1").replace("<str:uid>", "T-1").replace("<slug:action>", "acknowledge")
        if "<" in path or "(" in path or path in ("/metrics", "/wall/code/"):
            continue
        for ask in ("get", "post"):
            answers = [getattr(browser, ask)(path) for browser in (screen, visitor)]
            if len({(answer.status_code, answer.get("Location", "")) for answer in answers}) > 1 or (
                answers[0].status_code == 200 and b"NOC Tokyo" in answers[0].content
            ):
                differing.add((ask, path))

    assert differing == {("get", "/wall/")}
    assert screen.post("/wall/").status_code == 405
