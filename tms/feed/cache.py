"""Values that a process reads from the database and caches until the feed reports a change."""

import math
import time
from abc import ABC, abstractmethod

from tms.feed.change import Change
from tms.feed.hub import hub


class FeedListener(ABC):
    """A listener of the hub that caches something derived from the database."""

    @property
    def is_fed(self) -> bool:
        """Whether changes reach it now. If not, the cached value may be outdated."""
        return hub().is_live and self in hub().listeners

    @abstractmethod
    def changed(self, change: Change) -> None: ...


class FeedCache[T, **P](FeedListener):
    """One value, replaced as a whole: `get` may be called from any thread.

    It is loaded again after a relevant change, when it is older than `stale_s` (the feed is only a hint), and when the
    cache is not fed and the value is older than `unfed_stale_s`.
    """

    stale_s = 30.0
    unfed_stale_s = 0.0
    min_interval_s = 0.0
    """Changes that follow a load within this time are loaded together, at its end."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._loaded_at: float | None = None
        self._is_outdated = False
        self._is_waiting = False
        """Whether `get` returned an outdated value, because it was loaded just before."""

    @abstractmethod
    def is_relevant(self, change: Change) -> bool: ...

    @abstractmethod
    def load(self, *args: P.args, **kwargs: P.kwargs) -> T: ...

    def changed(self, change: Change) -> None:
        if self.is_relevant(change):
            self._is_outdated = True

    @property
    def is_current(self) -> bool:
        """Whether `get` would return the value without loading it."""
        return self._value is not None and self._age_s < self._limit_s

    @property
    def is_stale(self) -> bool:
        """Whether a loaded value is too old, and no new change will be reported."""
        if self._loaded_at is None:
            return False
        return self._age_s >= (self.min_interval_s if self._is_waiting else self.stale_s)

    def get(self, *args: P.args, **kwargs: P.kwargs) -> T:
        value = self._value
        if value is not None and self.is_current:
            self._is_waiting = self._is_outdated
            return value
        # Before loading: a change during the load causes another one.
        self._loaded_at, self._is_outdated, self._is_waiting = time.monotonic(), False, False
        try:
            value = self._value = self.load(*args, **kwargs)
        except Exception:
            self._loaded_at = None
            raise
        return value

    @property
    def _age_s(self) -> float:
        return math.inf if self._loaded_at is None else time.monotonic() - self._loaded_at

    @property
    def _limit_s(self) -> float:
        """The age at which the value is loaded again."""
        limit_s = self.stale_s if self.is_fed else self.unfed_stale_s
        return min(limit_s, self.min_interval_s) if self._is_outdated else limit_s
