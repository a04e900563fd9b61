"""Redis before the table of sessions: it spares each page a question, and nothing depends on it."""

from typing import Any

from tms.lib.redis_cache import FallbackCache

LONGEST_S = 60
"""A session that was ended while Redis did not listen is over so long after it listens again."""


class SessionCache(FallbackCache):
    def set(self, key: str, value: Any, timeout: Any = LONGEST_S, version: int | None = None) -> None:
        super().set(key, value, min(timeout, LONGEST_S), version)
