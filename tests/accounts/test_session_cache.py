"""Sessions are cached in Redis before the database: faster, and no worse when Redis is unavailable."""

from datetime import UTC, datetime

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import caches
from redis.exceptions import RedisError

from tests.support.services import HOST
from tms.accounts.models import User
from tms.accounts.sessions.cache import MAX_CACHED_S, SessionCache
from tms.accounts.sessions.signed_in import signed_in
from tms.accounts.sessions.store import SessionStore, stored_key
from tms.lib import redis_cache as resting

pytestmark = [pytest.mark.services, pytest.mark.django_db]
NOWHERE = f"redis://{HOST}:1/0"


@pytest.fixture
def person(client):
    person = User.objects.create_superuser("tanaka", password="a password for tests")
    client.force_login(person)
    return person


def test_a_page_reads_the_session_from_redis_and_not_from_the_table(person, client):
    client.get("/")
    key = client.session.session_key
    assert Session.objects.filter(pk=stored_key(key)).update(session_data="gone")

    assert SessionStore(key).load()["_auth_user_id"] == str(person.pk)


def test_redis_caches_a_session_for_a_minute_at_most(person, client):
    client.get("/")

    key = caches["sessions"].make_key(SessionStore(client.session.session_key).cache_key)
    left_s = caches["sessions"]._cache.get_client(key).ttl(key)

    assert 0 < left_s <= MAX_CACHED_S


def test_signing_out_deletes_both_copies(person, client):
    client.get("/")
    key = client.session.session_key

    client.post("/sign-out/")

    assert SessionStore(key).load() == {}
    assert signed_in([stored_key(key)], at=datetime.now(UTC)) == {}


@pytest.fixture
def unavailable(monkeypatch):
    """Redis does not answer, and this has not been detected yet."""
    monkeypatch.setattr(SessionCache, "rests_until", {})
    caches["sessions"] = SessionCache(NOWHERE, {})
    yield
    del caches["sessions"]


def test_without_redis_people_sign_in_see_pages_and_sign_out(unavailable, client):
    User.objects.create_superuser("tanaka", password="a password for tests")

    signed = client.post("/sign-in/", {"username": "tanaka", "password": "a password for tests"})
    seen = client.get("/")
    key = client.session.session_key
    left = client.post("/sign-out/")

    assert (signed.status_code, seen.status_code, left.status_code) == (302, 200, 302)
    assert key
    assert not Session.objects.exists()


def test_an_unresponsive_redis_is_not_asked_again_for_a_while(unavailable, monkeypatch):
    asked = []
    monkeypatch.setattr(resting.RedisCache, "get", lambda *_: asked.append(1) or down())
    cache = caches["sessions"]

    answers = [cache.get("x", "default") for _ in range(5)]

    assert answers == ["default"] * 5
    assert asked == [1]


def down() -> None:
    raise RedisError("away")
