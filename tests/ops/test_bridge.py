"""Who measures what, and when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connections

from tms.fleet.models import Presence
from tms.metrics import instruments
from tms.ops.cloudwatch.bridge import Bridge
from tms.ops.cloudwatch.sender import Datum, Sender
from tms.ops.cloudwatch.table import TABLE, SentBy

pytestmark = pytest.mark.both

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)


class Basket(Sender):
    """Keeps what it was offered."""

    def __init__(self) -> None:
        super().__init__(lambda data: None)
        self.data: list[Datum] = []

    def offer(self, data: Sequence[Datum]) -> None:
        self.data += data

    def take(self) -> dict[str, float]:
        taken = {datum.name: datum.measured for datum in self.data}
        self.data.clear()
        return taken


@pytest.fixture
def basket() -> Basket:
    return Basket()


@pytest.fixture
def lead():
    """Says whether the clock of this process leads."""
    yield instruments.CLOCK_LEADS.set
    instruments.CLOCK_LEADS.set(0)


def names(*senders: SentBy) -> set[str]:
    """No loop of the clock runs here, so none has an age."""
    return {row.name for row in TABLE if row.sent_by in senders} - {"ClockLoopAge"}


def test_the_leader_tells_of_the_fleet_and_nobody_else_does(fleet, basket, lead):
    fleet.with_presence(Presence.ONLINE)
    fleet.with_presence(Presence.SILENT)
    bridge = Bridge(basket, serves=False)

    lead(0)
    bridge.measure(AT)
    others = basket.take()
    lead(1)
    bridge.measure(AT)
    leaders = basket.take()

    assert others.keys() == names(SentBy.PROCESS)
    assert leaders.keys() == names(SentBy.PROCESS, SentBy.LEADER)
    assert (leaders["ActiveTerminals"], leaders["SilentTerminals"], leaders["TotalTerminals"]) == (1, 1, 2)


def test_only_a_process_with_sockets_tells_of_links(basket):
    Bridge(basket, serves=True).measure(AT)
    node = basket.take()

    Bridge(basket, serves=False).measure(AT)

    assert "Links" in node
    assert "Links" not in basket.take()


def test_a_counter_is_sent_as_what_it_rose_by_since_the_last_time(basket):
    bridge = Bridge(basket, serves=False)
    bridge.measure(AT)
    basket.take()
    instruments.FEED_FAILURES.inc(3)

    bridge.measure(AT)
    first = basket.take()["FeedFailures"]
    bridge.measure(AT)

    assert first == 3
    assert basket.take()["FeedFailures"] == 0


def test_the_last_time_only_tells_what_rose_for_this_minute_has_the_rest(basket, lead):
    lead(1)
    bridge = Bridge(basket, serves=True)
    instruments.INGEST_ACK_SECONDS.observe(0.3)

    bridge.measure(AT, is_last=True)

    last = basket.take()
    assert last.keys() == {row.name for row in TABLE if not row.measure.is_level}
    assert last["AckSeconds"].values[-1] >= 0.3


def test_a_database_that_is_away_leaves_the_rest_to_be_told(db, basket, lead, monkeypatch):
    def away(*_: object) -> None:
        raise DatabaseError("away")

    lead(1)
    bridge = Bridge(basket, serves=False)

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", away)
        bridge.measure(AT)

    told = basket.take()
    assert "ActiveTerminals" not in told
    assert {"ClockLag", "BridgeLag"} <= told.keys()


def test_a_measurement_that_fails_is_counted_and_the_next_one_comes(basket, monkeypatch):
    bridge = Bridge(basket, serves=False)
    before = instruments.BRIDGE_FAILURES._value.get()

    with monkeypatch.context() as patch:
        patch.setattr(basket, "offer", lambda data: 1 / 0)
        bridge._try_to_measure()
    bridge._try_to_measure()

    assert instruments.BRIDGE_FAILURES._value.get() - before == 1
    assert basket.take()["BridgeFailures"] == 1


@pytest.mark.parametrize(("after_s", "pause_s"), [(0.0, 60.1), (0.1, 60.0), (15, 45.1), (59.9, 0.2)])
def test_a_process_measures_when_the_minute_has_begun_and_so_do_all(basket, after_s, pause_s):
    bridge = Bridge(basket, serves=False)
    now = AT + timedelta(seconds=after_s)

    assert bridge._pause_s(now) == pytest.approx(pause_s, abs=0.01)
    assert bridge._minute(now) == AT
