"""Redis as a cache: used while it is available, and never waited for when it is not."""

import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import caches

from tests.support.services import HOST
from tms.lib.redis_cache import FallbackCache

MANY = {"a": 1, "b": 2}


@pytest.fixture
def hung(monkeypatch) -> Iterator[FallbackCache]:
    """It accepts connections, and does not answer."""
    monkeypatch.setattr(FallbackCache, "rests_until", {})
    with socket.create_server((HOST, 0)) as server:
        address = f"redis://{HOST}:{server.getsockname()[1]}/0"
        yield FallbackCache(address, {"OPTIONS": {"socket_timeout": 0.05}})


@pytest.mark.services
@pytest.mark.parametrize("name", ["default", "sessions"])
def test_no_cache_blocks_for_long(name):
    assert settings.CACHES[name]["OPTIONS"] == {"socket_timeout": 1, "socket_connect_timeout": 1}
    assert isinstance(caches[name], FallbackCache)


@pytest.mark.services
def test_it_stores_many_entries_and_expires_them():
    cache = caches["default"]

    assert cache.set_many(MANY, 60) == []
    assert cache.get_many([*MANY, "c"]) == MANY
    assert cache.has_key("a")
    cache.delete_many(["a"])

    assert cache.get_many(MANY) == {"b": 2}


@pytest.mark.embedded
@pytest.mark.both
@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda cache: cache.get("a", "none"), "none"),
        (lambda cache: cache.set("a", 1, 60), None),
        (lambda cache: cache.delete("a"), False),
        (lambda cache: cache.has_key("a"), False),
        (lambda cache: cache.get_many(MANY), {}),
        (lambda cache: cache.set_many(MANY, 60), ["a", "b"]),
        (lambda cache: cache.delete_many(MANY), None),
    ],
)
def test_a_hanging_cache_behaves_as_if_it_were_empty(hung, ask, answer):
    assert ask(hung) == answer
    assert FallbackCache.rests_until
    assert ask(hung) == answer, "and is not asked again so soon"
