import time
from types import SimpleNamespace

import pytest

from tms.feed import cache
from tms.feed.cache import FeedCache
from tms.feed.change import Change


class Counted(FeedCache[int, []]):
    """How often it was loaded."""

    unfed_stale_s = 30.0
    min_interval_s = 1.0
    loads = 0

    def is_relevant(self, change: Change) -> bool:
        return bool(change.alerts)

    def load(self) -> int:
        self.loads += 1
        return self.loads


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=time.monotonic())
    monkeypatch.setattr(cache, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_changes_within_the_interval_are_loaded_together_at_its_end(clock):
    counted = Counted()
    assert counted.get() == 1

    for _ in range(3):
        counted.changed(Change(alerts=frozenset({1})))
        assert counted.get() == 1
    assert not counted.is_stale

    clock.now += 1.0
    assert counted.is_stale
    assert counted.get() == 2
    assert not counted.is_stale


def test_a_change_after_the_interval_is_loaded_at_once(clock):
    counted = Counted()
    assert counted.get() == 1
    clock.now += 1.0

    counted.changed(Change(terminals=frozenset({1})))
    assert counted.get() == 1
    counted.changed(Change(alerts=frozenset({1})))
    assert counted.get() == 2


def test_a_change_during_the_load_is_loaded_after_the_interval(clock, monkeypatch):
    counted = Counted()
    load = counted.load

    def load_while_it_changes() -> int:
        counted.changed(Change(alerts=frozenset({1})))
        return load()

    monkeypatch.setattr(counted, "load", load_while_it_changes)
    assert counted.get() == 1
    clock.now += 1.0

    assert counted.get() == 2
