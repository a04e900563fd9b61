"""Redis before the table of sessions: it spares each page a question, and nothing depends on it."""

import time
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.cache.backends.redis import RedisCache
from django.utils.functional import cached_property
from redis.exceptions import RedisError

LONGEST_S = 60
"""A session that was ended while Redis did not listen is over so long after it listens again."""
REST_S = 5.0
"""Once Redis did not answer, nobody waits for it again so soon."""


class SessionCache(RedisCache):
    """A Redis that is away has nothing, and keeps nothing.

    Django makes one of these for each request; they share their connections, and what they know of Redis.
    """

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
        return self._or(default, lambda: super(SessionCache, self).get(key, default, version))

    def set(self, key: str, value: Any, timeout: Any = LONGEST_S, version: int | None = None) -> None:
        self._or(None, lambda: super(SessionCache, self).set(key, value, min(timeout, LONGEST_S), version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._or(False, lambda: super(SessionCache, self).delete(key, version)))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(self._or(False, lambda: super(SessionCache, self).has_key(key, version)))

    def _or[T](self, otherwise: T, ask: Callable[[], T]) -> T:
        if time.monotonic() < self.rests_until.get(self._server, 0.0):
            return otherwise
        try:
            return ask()
        except RedisError:
            self.rests_until[self._server] = time.monotonic() + REST_S
            return otherwise
