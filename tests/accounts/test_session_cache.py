"""Sessions in Redis before the database: quicker, and no worse when Redis is away."""

from datetime import UTC, datetime

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import caches

from tests.support.services import HOST
from tms.accounts.models import User
from tms.accounts.sessions.cache import LONGEST_S, SessionCache
from tms.accounts.sessions.signed_in import signed_in
from tms.lib import redis_cache as resting

pytestmark = [pytest.mark.services, pytest.mark.django_db]
NOWHERE = f"redis://{HOST}:1/0"


@pytest.fixture
def person(client):
    person = User.objects.create_superuser("tanaka", password="a password for tests")
    client.force_login(person)
    return person


def test_a_page_asks_redis_and_not_the_table_who_is_signed_in(person, client):
    client.get("/")
    key = client.session.session_key
    Session.objects.filter(pk=key).update(session_data="gone")

    assert SessionStore(key).load()["_auth_user_id"] == str(person.pk)


def test_redis_keeps_a_session_for_a_minute_and_no_longer(person, client):
    client.get("/")

    key = caches["sessions"].make_key(SessionStore.cache_key_prefix + client.session.session_key)
    left_s = caches["sessions"]._cache.get_client(key).ttl(key)

    assert 0 < left_s <= LONGEST_S


def test_a_sign_out_takes_both(person, client):
    client.get("/")
    key = client.session.session_key

    client.post("/sign-out/")

    assert SessionStore(key).load() == {}
    assert signed_in([key], at=datetime.now(UTC)) == {}


@pytest.fixture
def away(monkeypatch):
    """Redis does not answer, and nobody has found out yet."""
    monkeypatch.setattr(SessionCache, "rests_until", {})
    caches["sessions"] = SessionCache(NOWHERE, {})
    yield
    del caches["sessions"]


def test_without_redis_people_sign_in_see_pages_and_sign_out(away, client):
    User.objects.create_superuser("tanaka", password="a password for tests")

    signed = client.post("/sign-in/", {"username": "tanaka", "password": "a password for tests"})
    seen = client.get("/")
    key = client.session.session_key
    left = client.post("/sign-out/")

    assert (signed.status_code, seen.status_code, left.status_code) == (302, 200, 302)
    assert not Session.objects.filter(pk=key).exists()


def test_a_redis_that_does_not_answer_is_left_alone_for_a_while(away, monkeypatch):
    asked = []
    monkeypatch.setattr(resting.RedisCache, "get", lambda *_: asked.append(1) or down())
    cache = caches["sessions"]

    answers = [cache.get("x", "default") for _ in range(5)]

    assert answers == ["default"] * 5
    assert asked == [1]


def down() -> None:
    raise resting.RedisError("away")
