"""Redis as an optional cache: while it is unavailable, reads find nothing and writes are dropped."""

import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.redis import RedisCache
from django.utils.functional import cached_property

log = structlog.get_logger(__name__)

REST_S = 5.0
"""Pause after Redis did not answer: it is not tried again for this long."""


class FallbackCache(RedisCache):
    """Django creates one per thread and request; they share their connections and the state of Redis."""

    clients: ClassVar[dict[str, Any]] = {}
    rests_until: ClassVar[dict[str, float]] = {}

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server = server

    @cached_property
    def _cache(self) -> Any:
        if self._server not in self.clients:
            self.clients[self._server] = super()._cache
        return self.clients[self._server]

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._or(default, lambda: super(FallbackCache, self).get(key, default, version))

    def set(self, key: str, value: Any, *args: Any, **options: Any) -> None:
        self._or(None, lambda: super(FallbackCache, self).set(key, value, *args, **options))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._or(False, lambda: super(FallbackCache, self).delete(key, version)))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(self._or(False, lambda: super(FallbackCache, self).has_key(key, version)))

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self._or({}, lambda: super(FallbackCache, self).get_many(keys, version))
        return found

    def set_many(self, data: dict[str, Any], *args: Any, **options: Any) -> list[str]:
        """The keys that were not stored."""
        failed: list[str] = self._or([*data], lambda: super(FallbackCache, self).set_many(data, *args, **options))
        return failed

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        self._or(None, lambda: super(FallbackCache, self).delete_many(keys, version))

    def run[T](self, command: Callable[[Any], T]) -> T | None:
        """The result of `command` with the client; None while Redis is unavailable."""
        return self._or(None, lambda: command(self._cache.get_client(write=True)))

    def _or[T](self, otherwise: T, ask: Callable[[], T]) -> T:
        if time.monotonic() < self.rests_until.get(self._server, 0.0):
            return otherwise
        from redis.exceptions import RedisError  # a quarter of Django's own imports: only where there is a Redis

        try:
            return ask()
        except RedisError as error:
            self.rests_until[self._server] = time.monotonic() + REST_S
            log.warning("cache_away", error=repr(error))
            return otherwise
