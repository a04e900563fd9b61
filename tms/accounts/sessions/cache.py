"""Redis as a cache in front of the session table. It saves one query per page, and nothing depends on it."""

from typing import Any

from tms.lib.redis_cache import FallbackCache

MAX_CACHED_S = 60
"""A session that ended while Redis was unavailable is dropped this long after Redis is back."""


class SessionCache(FallbackCache):
    def set(self, key: str, value: Any, timeout: Any = MAX_CACHED_S, version: int | None = None) -> None:
        super().set(key, value, min(timeout, MAX_CACHED_S), version)
