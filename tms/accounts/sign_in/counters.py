"""Recent attempts, counted by key: in Redis for all processes, or in this process while Redis is unavailable.

A key stores only the instants of the attempts of its window, at most `most` of them plus those in flight, and expires
with the window. Rejected attempts are not counted, so the limit on the total also bounds the memory.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from django.core.cache import caches

from tms.lib.redis_cache import FallbackCache

MAX_KEYS = 10_000
"""Keys that a process without Redis remembers; beyond it the least recently used one is dropped."""


class Limit(NamedTuple):
    """A limit of at most `most` attempts of `key` in any `window_s`."""

    name: str
    key: str
    most: int
    window_s: float


class Block(NamedTuple):
    """The limit that was reached, and when to try again."""

    limit: Limit
    wait_s: float


class Counters(Protocol):
    """The first limit counts an attempt before the password is checked, the others after it failed."""

    def begin(self, limits: Sequence[Limit], attempt: str) -> Block | None:
        """Count `attempt` in the first limit, unless a limit is reached. Returns the one that lasts longest."""

    def fail(self, limits: Sequence[Limit], attempt: str) -> Sequence[Limit]:
        """Count it in the other limits too. Returns those that are full now."""

    def succeed(self, limits: Sequence[Limit], attempt: str) -> None:
        """Remove all attempts of the first limit from all limits, because the person succeeded: they were typing
        errors.
        """

    def abandon(self, limits: Sequence[Limit], attempt: str) -> None:
        """Remove the attempt, because the password was not checked."""


class LocalCounters:
    """Counts in this process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._attempts: OrderedDict[str, dict[str, float]] = OrderedDict()

    def begin(self, limits: Sequence[Limit], attempt: str) -> Block | None:
        with self._lock:
            at = self._now()
            blocks = [Block(limit, wait_s) for limit in limits if (wait_s := self._wait_s(limit, at)) > 0]
            if blocks:
                return max(blocks, key=lambda block: block.wait_s)
            self._add(limits[0], attempt, at)
            return None

    def fail(self, limits: Sequence[Limit], attempt: str) -> Sequence[Limit]:
        with self._lock:
            at = self._now()
            for limit in limits[1:]:
                self._add(limit, attempt, at)
            return [limit for limit in limits if len(self._attempts.get(limit.key, ())) == limit.most]

    def succeed(self, limits: Sequence[Limit], attempt: str) -> None:
        with self._lock:
            own = self._attempts.pop(limits[0].key, {})
            for limit in limits[1:]:
                for earlier in own:
                    self._attempts.get(limit.key, {}).pop(earlier, None)

    def abandon(self, limits: Sequence[Limit], attempt: str) -> None:
        with self._lock:
            self._attempts.get(limits[0].key, {}).pop(attempt, None)

    def _wait_s(self, limit: Limit, at: float) -> float:
        attempts = self._attempts.get(limit.key, {})
        for old in [attempt for attempt, tried_at in attempts.items() if tried_at <= at - limit.window_s]:
            del attempts[old]
        if len(attempts) < limit.most:
            return 0.0
        return sorted(attempts.values())[-limit.most] + limit.window_s - at

    def _add(self, limit: Limit, attempt: str, at: float) -> None:
        self._attempts.setdefault(limit.key, {})[attempt] = at
        self._attempts.move_to_end(limit.key)
        while len(self._attempts) > MAX_KEYS:
            self._attempts.popitem(last=False)


NOW = "local time = redis.call('TIME'); local now = time[1] + time[2] / 1000000\n"
BEGIN = (
    NOW
    + """
local wait, which = 0, 0
for index, key in ipairs(KEYS) do
    local most, window = tonumber(ARGV[2 * index]), tonumber(ARGV[2 * index + 1])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
    local number = redis.call('ZCARD', key)
    if number >= most then
        local oldest = redis.call('ZRANGE', key, number - most, number - most, 'WITHSCORES')
        local left = oldest[2] + window - now
        if left > wait then wait, which = left, index end
    end
end
if which == 0 then
    redis.call('ZADD', KEYS[1], now, ARGV[1])
    redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return {which, tostring(wait)}
"""
)
FAIL = (
    NOW
    + """
local full = {}
for index, key in ipairs(KEYS) do
    if index > 1 then
        redis.call('ZADD', key, now, ARGV[1])
        redis.call('EXPIRE', key, ARGV[2 * index + 1])
    end
    if redis.call('ZCARD', key) == tonumber(ARGV[2 * index]) then table.insert(full, index) end
end
return full
"""
)
SUCCEED = """
local slips = redis.call('ZRANGE', KEYS[1], 0, -1)
redis.call('DEL', KEYS[1])
for index = 2, #KEYS do
    for _, slip in ipairs(slips) do redis.call('ZREM', KEYS[index], slip) end
end
return 0
"""
ABANDON = "return redis.call('ZREM', KEYS[1], ARGV[1])"


class RedisCounters:
    """Counts in Redis, each step as one atomic script. `execute` runs it."""

    def __init__(self, execute: Callable[[str, Sequence[str], Sequence[Any]], Any]) -> None:
        self._execute = execute

    def begin(self, limits: Sequence[Limit], attempt: str) -> Block | None:
        which, wait_s = self._run(BEGIN, limits, attempt)
        return Block(limits[which - 1], float(wait_s)) if which else None

    def fail(self, limits: Sequence[Limit], attempt: str) -> Sequence[Limit]:
        return [limits[which - 1] for which in self._run(FAIL, limits, attempt)]

    def succeed(self, limits: Sequence[Limit], attempt: str) -> None:
        self._run(SUCCEED, limits, attempt)

    def abandon(self, limits: Sequence[Limit], attempt: str) -> None:
        self._run(ABANDON, limits, attempt)

    def _run(self, script: str, limits: Sequence[Limit], attempt: str) -> Any:
        figures = [figure for limit in limits for figure in (limit.most, math.ceil(limit.window_s))]
        return self._execute(script, [limit.key for limit in limits], [attempt, *figures])


class RedisAwayError(Exception):
    """Redis is unavailable, or not configured."""


def execute(script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Run `script` in the Redis of the cache. Raises RedisAwayError."""
    cache = caches["default"]
    if not isinstance(cache, FallbackCache):
        raise RedisAwayError
    answer = cache.run(lambda redis: redis.eval(script, len(keys), *map(cache.make_key, keys), *arguments))
    if answer is None:
        raise RedisAwayError
    return answer


shared, local = RedisCounters(execute), LocalCounters()


def apply[T](question: Callable[[Counters], T]) -> T:
    """Counts for all processes; for this one while Redis is unavailable."""
    try:
        return question(shared)
    except RedisAwayError:
        return question(local)
