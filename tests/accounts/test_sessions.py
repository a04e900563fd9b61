from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from tms.accounts.display_names import name_of
from tms.accounts.models import User
from tms.accounts.sessions.signed_in import signed_in
from tms.accounts.sessions.store import SessionStore, stored_key

PASSWORD = "a password for tests"


@pytest.fixture
def tanaka(db):
    return User.objects.create_user("tanaka")


@pytest.fixture
def key(tanaka):
    """The key of a session in which Tanaka is signed in."""
    client = Client()
    client.force_login(tanaka)
    return stored_key(client.session.session_key)


def expire(tanaka):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def end(tanaka):
    Session.objects.all().delete()


def disable(tanaka):
    User.objects.update(is_active=False)


def delete(tanaka):
    tanaka.delete()


def change_password(tanaka):
    tanaka.set_password("another password")
    tanaka.save()


def garble(tanaka):
    Session.objects.update(session_data="garbled")


def test_a_session_remains_valid_without_changes(tanaka, key):
    assert signed_in([key], at=timezone.now()) == {key: tanaka}


@pytest.mark.parametrize("event", [expire, end, disable, delete, change_password, garble])
def test_a_session_ends(tanaka, key, event):
    event(tanaka)

    assert signed_in([key, "no-such-key"], at=timezone.now()) == {}


@pytest.mark.both
@pytest.mark.embedded
def test_no_table_and_no_cache_has_what_the_cookie_contains(tanaka):
    """A stored key opens nothing."""
    tanaka.set_password(PASSWORD)
    tanaka.save()
    client, thief = Client(), Client()
    client.post("/sign-in/", {"username": "tanaka", "password": PASSWORD})
    assert client.get("/").status_code == 200
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value

    stored = Session.objects.get().pk
    thief.cookies[settings.SESSION_COOKIE_NAME] = stored

    assert UserSession.objects.get().session_key == stored
    tables = [model for model in apps.get_models() if model._meta.managed]
    assert not [model for model in tables if cookie in repr(list(model._base_manager.values_list()))]
    assert not [key for key in keys_in_redis() if cookie.encode() in key]
    assert thief.get("/")["Location"] == "/sign-in/?next=/"


def keys_in_redis() -> list[bytes]:
    if not settings.REDIS_URL:
        return []
    keys = list(caches["sessions"]._cache.get_client().scan_iter())
    assert any(b"session" in key for key in keys)
    return keys


@pytest.mark.django_db(transaction=True)
async def test_a_session_of_the_event_loop_is_stored_under_the_same_key():
    session = SessionStore()
    session["a"] = 1
    await session.asave()

    assert await Session.objects.values_list("pk", flat=True).aget() == stored_key(session.session_key)
    assert await SessionStore(session.session_key).aload() == {"a": 1}
    await SessionStore(session.session_key).adelete()
    assert not await Session.objects.aexists()


def test_many_sessions_are_checked_with_two_queries(tanaka, key, django_assert_num_queries):
    clients = [Client() for _ in range(5)]
    for client in clients:
        client.force_login(tanaka)

    with django_assert_num_queries(2):
        found = signed_in([stored_key(client.session.session_key) for client in clients], at=timezone.now())

    assert len(found) == 5


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Mei", "Tanaka", ("M. Tanaka", "MT")),
        ("健", "佐藤", ("佐藤", "佐")),
        ("", "Tanaka", ("Tanaka", "T")),
        ("Mei", "", ("Mei", "M")),
        ("", "", ("mtanaka", "MT")),
    ],
)
def test_a_person_is_shown_with_the_name_on_shift(first, last, name):
    assert name_of(User(username="mtanaka", first_name=first, last_name=last)) == name
