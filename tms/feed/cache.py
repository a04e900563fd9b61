"""Values that a process reads from the database and caches until the feed reports a change."""

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

    def __init__(self) -> None:
        self._value: T | None = None
        self._loaded_at: float | None = None

    @abstractmethod
    def is_relevant(self, change: Change) -> bool: ...

    @abstractmethod
    def load(self, *args: P.args, **kwargs: P.kwargs) -> T: ...

    def changed(self, change: Change) -> None:
        if self.is_relevant(change):
            self._loaded_at = None

    @property
    def is_stale(self) -> bool:
        """Whether a loaded value is too old although no change was reported."""
        loaded_at = self._loaded_at
        return loaded_at is not None and time.monotonic() - loaded_at >= self.stale_s

    def get(self, *args: P.args, **kwargs: P.kwargs) -> T:
        loaded_at = self._loaded_at  # read once: the event loop may reset it
        age_s = None if loaded_at is None else time.monotonic() - loaded_at
        limit_s = self.stale_s if self.is_fed else self.unfed_stale_s
        value = self._value
        if value is None or age_s is None or age_s >= limit_s:
            self._loaded_at = time.monotonic()  # before loading: a change during the load causes another one
            try:
                value = self._value = self.load(*args, **kwargs)
            except Exception:
                self._loaded_at = None
                raise
        return value
