"""Rows that make a pass of the clock fail: found by halving, set aside for a while, and retried later."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from weakref import WeakSet

import structlog
from django.db import transaction

from tms.lib.db.errors import is_database_away
from tms.metrics import instruments

log = structlog.get_logger(__name__)

FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)
"""The pause doubles from the first to this one."""
MAX_ROWS = 1_000
"""Rows of one loop that are set aside at a time; beyond it the one due first is retried now."""
MAX_FAILURES = 40
"""Transactions of one call that may fail: enough to find three rows among 2,000."""


class SetAsideRow(NamedTuple):
    retry_at: datetime
    failures: int


class SetAside[K: Hashable]:
    """The rows of one loop that its passes skip, by key. In memory only: a new leader finds them again."""

    def __init__(self, loop: str) -> None:
        self._loop = loop
        self._entries: dict[K, SetAsideRow] = {}
        self._left_out = 0
        _of_process.add(self)

    def keys(self, at: datetime) -> list[K]:
        """The keys to skip at this time."""
        if not self._entries and not self._left_out:
            return []
        left_out = [key for key, entry in self._entries.items() if entry.retry_at > at]
        self._left_out = len(left_out)
        of_loop = sum(one._left_out for one in _of_process if one._loop == self._loop)
        instruments.CLOCK_SET_ASIDE.labels(self._loop).set(of_loop)
        return left_out

    def add(self, key: K, error: Exception, *, at: datetime) -> None:
        failures = self._entries[key].failures + 1 if key in self._entries else 1
        retry_at = at + min(LAST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, 10))
        self._entries[key] = SetAsideRow(retry_at, failures)
        if len(self._entries) > MAX_ROWS:
            del self._entries[min(self._entries, key=lambda one: self._entries[one].retry_at)]
        instruments.CLOCK_FAILURES.labels(self._loop).inc()
        log.error("row_set_aside", loop=self._loop, row=str(key), failures=failures, retry_at=retry_at, exc_info=error)
        self.keys(at)

    def clear(self, keys: Iterable[K]) -> None:
        """Mark them as successful."""
        if self._entries:
            for key in keys:
                self._entries.pop(key, None)


_of_process: WeakSet[SetAside[Any]] = WeakSet()


def isolate[K: Hashable](
    keys: Sequence[K], work: Callable[[Sequence[K]], int], *, aside: SetAside[K], at: datetime
) -> int:
    """Do `work` for all of `keys` in one transaction, or in several that leave out the keys that make it fail.

    Returns the sum of what `work` returned. Raises if the database is unavailable, and if too many transactions failed:
    keys found until then stay set aside, so that the next pass gets further.
    """
    done, failed = 0, 0
    parts: list[Sequence[K]] = [keys] if keys else []
    while parts:
        part = parts.pop()
        try:
            with transaction.atomic():
                done += work(part)
        except Exception as error:
            if is_database_away(error):
                raise
            failed += 1
            if len(part) == 1:
                aside.add(part[0], error, at=at)
            elif failed >= MAX_FAILURES:
                raise
            else:
                # Halving finds one bad key among n in about 2 log2(n) transactions. The first half is popped first, so
                # that keys keep their order.
                half = len(part) // 2
                parts += [part[half:], part[:half]]
        else:
            aside.clear(part)
    return done


def each[T](items: Iterable[T], work: Callable[[T], object], *, loop: str) -> None:
    """Do `work` for each of `items`; an error of one is logged and does not affect the others.

    Raises the first of these errors at the end, so that the pass counts as failed; at once if the database is
    unavailable.
    """
    first: Exception | None = None
    for item in items:
        try:
            work(item)
        except Exception as error:
            if is_database_away(error):
                raise
            if first is not None:  # the caller that catches the first one logs it
                log.exception("part_of_pass_failed", loop=loop)
            first = first or error
    if first is not None:
        raise first
